using System.Globalization;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DataRights;

public sealed class PostgresErasedStayErasedTests() : ErasedStayErasedTests(StoreKind.Postgres);

public sealed class SqliteErasedStayErasedTests() : ErasedStayErasedTests(StoreKind.Sqlite);

/// <summary>
/// A copy of the data directory from before an erasure still has the events in its journal: <c>replay-journal</c> leaves them there.
/// </summary>
public abstract class ErasedStayErasedTests(StoreKind store)
{
    [Fact]
    public async Task What_was_erased_does_not_come_back_from_an_older_journal()
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        var (one, two) = (await server.NewTenantAsync(name: "One"), await server.NewTenantAsync(name: "Two"));
        for (var n = 0; n < 5; n++) await one.SendEventAsync("""{"of":"one"}""");
        var (kept, gone) = (await two.SendEventAsync("""{"of":"two"}"""), await two.SendEventAsync("""{"of":"two"}"""));
        await server.StopAsync();
        var older = Directory.CreateTempSubdirectory("zap-older-").FullName;
        Copy(server.DataDirectory, older);

        await server.StartAsync();
        Assert.Equal(200, (await new Tenant(server, two.OrganizationId, two.Key).EraseAsync($$"""{"event_ids":["{{gone}}"]}""")).Status);
        var path = $"/api/admin/organizations/{one.OrganizationId}";
        await Poll.UntilAsync(
            async () => (await server.AdminAsync(HttpMethod.Delete, path, """{"confirm":"One"}""")).Status == 404, "the organization is gone");
        await server.StopAsync();
        if (store == StoreKind.Sqlite)
            File.Copy(Path.Combine(server.DataDirectory, "events.db"), Path.Combine(older, "events.db"), overwrite: true);

        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        string[] settings = ["--store", $"--Storage:DataDirectory={older}", $"--Storage:ConnectionString={server.ConnectionString}"];
        var code = await ReplayJournalCommand.RunAsync(settings, output, CancellationToken.None);

        Assert.True(code == 0, output.ToString());
        Assert.Contains("removed     6 were erased by request", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("now         stored 0", output.ToString(), StringComparison.Ordinal);
        if (store == StoreKind.Sqlite)
            File.Copy(Path.Combine(older, "events.db"), Path.Combine(server.DataDirectory, "events.db"), overwrite: true);
        var (verified, text) = await server.VerifyAsync();
        Assert.True(verified == 0 && !text.Contains("remark", StringComparison.Ordinal), text);
        await server.StartAsync();
        Assert.Equal([kept], (await new Tenant(server, two.OrganizationId, two.Key).ReadInboxAsync()).Select(found => found.Id));
        Directory.Delete(older, recursive: true);
    }

    private static void Copy(string from, string to)
    {
        foreach (var path in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target);
        }
    }
}
