using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Crash.Infrastructure;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// A server whose database is away at the start lives, says what it waits for, refuses nobody for a valid key, and becomes ready by itself;
/// SIGTERM ends it meanwhile.
/// </summary>
public sealed class StartWithoutDatabase : IDisposable
{
    private const string Event = """{"type":"a","payload":{"n":1}}""";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zap-start-");
    private readonly PostgresCluster _cluster = PostgresCluster.Start();

    [Fact]
    public async Task It_lives_says_why_it_waits_and_becomes_ready_by_itself()
    {
        var setup = Setup();
        Tenant tenant;
        await using (var before = await ServerProcess.StartReadyAsync(setup))
        {
            tenant = await Tenant.CreateAsync(setup.Address);
            await before.TerminateAsync();
        }

        _cluster.Stop();
        await using var server = ServerProcess.Start(setup);
        await Poll.UntilAsync(() => IsAsync(tenant, "/health/live", HttpStatusCode.OK), Limit, () => "the server to live");
        await WaitsAsync(server);

        await SaysWhyAsync(tenant);
        await StorageUnavailableAsync(await tenant.Client.PostAsync("/api/events", Json(Event)));
        await StorageUnavailableAsync(await tenant.Client.PostAsync("/events", Json(Event)));
        foreach (var path in (string[])["/api/inbox", "/api/keys"]) await StorageUnavailableAsync(await tenant.Client.GetAsync(path));
        await StorageUnavailableAsync(await tenant.Client.PostAsync("/api/keys/generate", Json("""{"organization_name":"Acme"}""")));
        Assert.Equal(HttpStatusCode.OK, (await tenant.Client.GetAsync("/metrics")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await tenant.Client.GetAsync("/nowhere")).StatusCode);

        _cluster.Begin();
        await Poll.UntilAsync(
            () => IsAsync(tenant, "/health/ready", HttpStatusCode.OK), Limit, () => $"the server to be ready\n{server.Output}");
        Assert.Equal(HttpStatusCode.Accepted, (await tenant.Client.PostAsync("/api/events", Json(Event))).StatusCode);
        var inbox = JsonNode.Parse(await tenant.Client.GetStringAsync("/api/inbox"))!;
        Assert.Single(inbox["events"]!.AsArray());
        var lines = server.Output.Split('\n').Count(line => line.Contains("waits for the database", StringComparison.Ordinal));
        Assert.InRange(lines, 1, 12);
        Assert.Equal("", server.Errors);
        Assert.Equal(0, await server.TerminateAsync());
        tenant.Dispose();
    }

    [Fact]
    public async Task SIGTERM_ends_the_wait_with_0()
    {
        _cluster.Stop();
        await using var server = ServerProcess.Start(Setup());
        await WaitsAsync(server);

        Assert.Equal(0, await server.TerminateAsync());
        Assert.Equal("", server.Errors);
        Assert.DoesNotContain("hunter2", server.Output, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _cluster.Dispose();
        _folder.Delete(recursive: true);
    }

    private static Task WaitsAsync(ServerProcess server) => Poll.UntilAsync(
        () =>
            server.Output.Contains("Waiting for the database: ", StringComparison.Ordinal), Limit, "the console to say what is waited for");

    private ServerSetup Setup() => new ServerSetup { DataDirectory = Path.Combine(_folder.FullName, "data") }
        .With("DATABASE_URL", $"postgres://postgres:hunter2@127.0.0.1:{_cluster.Port}/postgres");

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static async Task<bool> IsAsync(Tenant tenant, string path, HttpStatusCode status)
    {
        try
        {
            using var answer = await tenant.Client.GetAsync(path);
            return answer.StatusCode == status;
        }
        catch (HttpRequestException)
        {
            // Not listening yet.
            return false;
        }
    }

    private static async Task SaysWhyAsync(Tenant tenant)
    {
        using var answer = await tenant.Client.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal("not_ready", (string?)body["status"]);
        Assert.Equal("disconnected", (string?)body["database"]);
        Assert.Contains("cannot be reached", (string?)body["reason"], StringComparison.Ordinal);
    }

    private static async Task StorageUnavailableAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Equal("Storage unavailable", (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["title"]);
        answer.Dispose();
    }
}
