using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>The address guard on all five paths: first send, retry, test, replay, recovery.</summary>
public sealed class GuardedPathsTests
{
    private const string Name = "hooks.example";

    // An empty text is no setting: what holds then is the environment's default.
    private static readonly string[] ByDefault = ["Delivery:AllowPrivateNetworks="];

    [Theory]
    [InlineData(null, false)]
    [InlineData("Production", false)]
    [InlineData("Staging", false)]
    [InlineData("Development", true)]
    public async Task Only_development_sends_to_this_machine_by_default(string? environment, bool allowed)
    {
        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, environment is null ? ByDefault : [.. ByDefault, $"environment={environment}"]);
        var tenant = await server.NewTenantAsync();

        foreach (var host in (string[])["127.0.0.1", "localhost", "10.0.0.1", "[::ffff:7f00:1]", "2130706433"])
            Assert.Equal(allowed ? 201 : 422, (await tenant.PostAsync("/api/endpoints", $$"""{"url":"http://{{host}}:9/"}""")).Status);
        Assert.Equal(422, (await tenant.PostAsync("/api/endpoints", """{"url":"http://169.254.169.254/"}""")).Status);
    }

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task A_name_of_this_machine_is_never_connected_to_on_any_of_them(StoreKind store)
    {
        await using var listener = new RawServer(static (_, _, _) => Task.CompletedTask);
        await using var server = await ServerUnderTest.StartAsync(
            store, [.. ByDefault, "environment=Production", "Delivery:RetrySchedule=20ms,20ms"]);
        server.Resolve = static (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
        var tenant = await server.NewTenantAsync();
        var endpoint = await MakeAsync(tenant, $"http://{Name}:{listener.Port}/");

        // First send and two retries; each may find another address, so each is made.
        var id = await PostAsync(tenant);
        await DeadAsync(tenant, id, 3);
        Assert.All(await ErrorsAsync(tenant, id), AssertBlocked);

        AssertBlocked(await TestAsync(tenant, endpoint));
        Assert.Equal(202, (await tenant.PostAsync($"/api/events/{id}/replay")).Status);
        await DeadAsync(tenant, id, 6);
        Assert.Equal(202, (await RecoverAsync(tenant, endpoint)).Status);
        await DeadAsync(tenant, id, 9);
        Assert.All(await ErrorsAsync(tenant, id), AssertBlocked);
        Assert.Equal(0, listener.Connections);

        static void AssertBlocked(string? error) =>
            Assert.Equal($"{Name} is or resolves to an address that may not be sent to (127.0.0.1).", error);
    }

    [Theory]
    [InlineData(StoreKind.Sqlite, "127.0.0.1")]
    [InlineData(StoreKind.Postgres, "localhost")]
    public async Task A_literal_is_a_dead_letter_at_once_on_all_of_them(StoreKind store, string host)
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(500);
        await using var server = await ServerUnderTest.StartAsync(
            store, [.. ByDefault, "environment=Development", "Delivery:RetrySchedule=3s,1h,1h"]);
        var tenant = await server.NewTenantAsync();
        var endpoint = await MakeAsync(tenant, receiver.Url.Replace("127.0.0.1", host, StringComparison.Ordinal));
        var failed = await PostAsync(tenant);
        await Poll.UntilAsync(() => receiver.CountOf(failed) == 1, "a first send while it was allowed");
        await server.StopAsync();
        await server.StartAsync("environment=Production");

        var first = await PostAsync(tenant);
        await DeadAsync(tenant, first, 0);
        await DeadAsync(tenant, failed, 1); // a retry that found it refused; nothing was sent
        AssertRefused(await TestAsync(tenant, endpoint));
        foreach (var id in (string[])[first, failed])
        {
            AssertRefused((string?)(await tenant.GetAsync($"/api/events/{id}")).Json["last_error"]);
            Assert.Equal(202, (await tenant.PostAsync($"/api/events/{id}/replay")).Status);
            await RefusedAgainAsync(tenant, id);
        }

        Assert.Equal(2, (int)(await RecoverAsync(tenant, endpoint)).Json["matched"]!);
        foreach (var id in (string[])[first, failed]) await RefusedAgainAsync(tenant, id);
        Assert.Equal([failed], receiver.Requests.Select(request => request.Id));

        static void AssertRefused(string? error) => Assert.Contains("private, loopback, link-local", error!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_allowed_network_is_sent_to_on_all_of_them_and_its_neighbour_on_none()
    {
        var answers = 0;
        using var all = new TcpListener(IPAddress.Any, 0);
        all.Start();
        var port = ((IPEndPoint)all.LocalEndpoint).Port;
        var reached = new List<string>();
        var accepting = AcceptAsync(all, reached, () => Interlocked.Increment(ref answers) == 1 ? 500 : 200);
        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, [.. ByDefault, "Delivery:AllowedNetworks=127.0.0.1/32", "Delivery:RetrySchedule=20ms,20ms"]);
        var address = "127.0.0.1";
        server.Resolve = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]);
        var tenant = await server.NewTenantAsync();
        var endpoint = await MakeAsync(tenant, $"http://{Name}:{port}/");

        var id = await PostAsync(tenant); // fails once, so there is a retry
        await SettledAsync(tenant, id, "delivered", 2);
        Assert.Null(await TestAsync(tenant, endpoint));
        Assert.Equal(202, (await tenant.PostAsync($"/api/events/{id}/replay")).Status);
        await SettledAsync(tenant, id, "delivered", 3);

        address = "127.0.0.2";
        var dead = await PostAsync(tenant);
        await DeadAsync(tenant, dead, 3);
        Assert.NotNull(await TestAsync(tenant, endpoint));
        Assert.Equal(202, (await tenant.PostAsync($"/api/events/{dead}/replay")).Status);
        await DeadAsync(tenant, dead, 6);
        Assert.Equal(202, (await RecoverAsync(tenant, endpoint)).Status);
        await DeadAsync(tenant, dead, 9);

        address = "127.0.0.1";
        Assert.Equal(202, (await RecoverAsync(tenant, endpoint)).Status);
        await SettledAsync(tenant, dead, "delivered", 10);
        all.Stop();
        await accepting;
        Assert.Equal(5, reached.Count);
        Assert.All(reached, one => Assert.Equal("127.0.0.1", one));
    }

    private static async Task<string> MakeAsync(Tenant tenant, string url)
    {
        var made = await tenant.PostAsync("/api/endpoints", new JsonObject { ["url"] = url }.ToJsonString());
        Assert.Equal(201, made.Status);
        return (string)made.Json["id"]!;
    }

    private static async Task<string> PostAsync(Tenant tenant) => (await tenant.PostEventAsync("""{"type":"t","payload":{}}""")).Accepted();

    /// <summary>Sends a test; its error.</summary>
    private static async Task<string?> TestAsync(Tenant tenant, string endpoint) =>
        (string?)(await tenant.PostAsync($"/api/endpoints/{endpoint}/test")).Json["error"];

    private static Task<Reply> RecoverAsync(Tenant tenant, string endpoint)
    {
        var since = DateTimeOffset.UtcNow.AddHours(-1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return tenant.PostAsync($"/api/endpoints/{endpoint}/recover", $$"""{"since":"{{since}}","rate_per_second":1000}""");
    }

    private static async Task<JsonObject> DeliveryAsync(Tenant tenant, string id) =>
        (await tenant.GetAsync($"/api/events/{id}")).Json["deliveries"]![0]!.AsObject();

    private static async Task<IEnumerable<string?>> ErrorsAsync(Tenant tenant, string id) =>
        (await DeliveryAsync(tenant, id))["attempts"]!.AsArray().Select(one => (string?)one!["error"]);

    private static Task DeadAsync(Tenant tenant, string id, int attempts) => SettledAsync(tenant, id, "dead_letter", attempts);

    private static Task SettledAsync(Tenant tenant, string id, string status, int attempts) => Poll.UntilAsync(
        async () => (await tenant.GetAsync($"/api/events/{id}")).Json is var seen && (string?)seen["status"] == status
            && seen["deliveries"]![0]!["attempts"]!.AsArray().Count == attempts,
        $"{status} after {attempts} tries");

    /// <summary>A replay has been asked for: waits until it is a dead letter again, without a try.</summary>
    private static async Task RefusedAgainAsync(Tenant tenant, string id)
    {
        await Poll.UntilAsync(
            async () => (string?)(await tenant.GetAsync($"/api/events/{id}")).Json["status"] == "dead_letter", "a dead letter again");
        Assert.InRange((await DeliveryAsync(tenant, id))["attempts"]!.AsArray().Count, 0, 1);
    }

    private static async Task AcceptAsync(TcpListener listener, List<string> reached, Func<int> status)
    {
        try
        {
            while (true)
            {
                using var socket = await listener.AcceptSocketAsync();
                reached.Add(((IPEndPoint)socket.LocalEndPoint!).Address.ToString());
                await RawServer.ReadRequestAsync(socket, CancellationToken.None);
                await RawServer.SendAsync(
                    socket, $"HTTP/1.1 {status()} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", CancellationToken.None);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private static Func<HttpContext, Received, Task> Status(int status) => (context, _) =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };
}
