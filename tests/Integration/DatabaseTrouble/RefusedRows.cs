using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>
/// Rows that the database does not take: a missing day is made, a row that is refused is set aside with SQLSTATE and reason, and one that
/// the quarantine refuses too is kept in a file. All others are stored.
/// </summary>
[Collection(TroubleCollection.Name)]
public sealed class RefusedRows(TroubleCluster cluster)
{
    private const string Poison = """{"type":"poison","payload":{"n": 1.0}}""";

    private const string Trigger = """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.type = 'poison' THEN RAISE EXCEPTION 'not this one' USING ERRCODE = '23514'; END IF;
                RETURN NEW;
            END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()
        """;

    [Fact]
    public async Task Days_that_are_missing_are_made()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        var today = DateTime.UtcNow;
        foreach (var day in (DateTime[])[today.AddDays(-1), today, today.AddDays(1)])
            await scene.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"DROP TABLE events_{day:yyyyMMdd}"));
        scene.StartLoad();
        await scene.SendMoreAsync(200);
        await scene.AuditAsync(mostLogLines: 5);
    }

    [Fact]
    public async Task A_refused_row_is_set_aside_and_the_rest_is_stored()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        await scene.ExecuteAsync(Trigger);
        scene.StartLoad();
        await scene.SendMoreAsync(100);

        var ids = new List<string>();
        for (var n = 0; n < 3; n++)
        {
            ids.Add((await scene.Tenant.PostEventAsync(Poison)).Accepted());
            await scene.SendMoreAsync(50);
        }

        await Poll.UntilAsync(async () => await scene.ExecuteAsync("SELECT count(*) FROM quarantine") is 3L, "all three are set aside");
        var found = (string)(await scene.ExecuteAsync("SELECT string_agg(id::text, ' ' ORDER BY id) FROM quarantine"))!;
        Assert.Equal(string.Join(' ', ids), found);
        var reason = (string)(await scene.ExecuteAsync("SELECT min(reason) FROM quarantine"))!;
        Assert.Contains("23514", reason, StringComparison.Ordinal);
        Assert.Contains("not this one", reason, StringComparison.Ordinal);
        await scene.AuditAsync(mostLogLines: 10);
    }

    [Fact]
    public async Task What_the_quarantine_refuses_too_is_kept_in_a_file_and_ready_says_so()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        await scene.ExecuteAsync(Trigger);
        await scene.ExecuteAsync("ALTER TABLE quarantine ADD CONSTRAINT never CHECK (false)");
        scene.StartLoad();
        await scene.SendMoreAsync(50);

        var id = (await scene.Tenant.PostEventAsync(Poison)).Accepted();
        var path = Path.Combine(scene.Server.DataDirectory, $"refused-{id}.json");
        await Poll.UntilAsync(() => File.Exists(path), "it is kept");
        await scene.SendMoreAsync(50);

        var kept = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        Assert.Equal((id, "poison"), ((string?)kept["id"], (string?)kept["type"]));
        Assert.Equal("""{"n": 1.0}""", Encoding.UTF8.GetString(Convert.FromBase64String((string)kept["payload_base64"]!)));
        Assert.Contains("never", (string?)kept["reason"], StringComparison.Ordinal);
        await scene.RecoverAsync();
        await Poll.UntilAsync(
            async () => (await scene.Server.Client.GetStringAsync("/health/ready")).Contains("refused", StringComparison.Ordinal),
            "ready says so");
        Assert.Contains(scene.Server.Logs.Lines, line => line.StartsWith("Critical", StringComparison.Ordinal));
        await scene.AuditAsync(mostLogLines: 10);
    }
}
