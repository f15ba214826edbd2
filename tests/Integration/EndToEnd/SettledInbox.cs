using System.Globalization;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Upgrades;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.EndToEnd;

public sealed class PostgresSettledInbox(PostgresBackedServer fixture) : SettledInbox<PostgresBackedServer>(fixture);

public sealed class SqliteSettledInbox(SqliteServer fixture) : SettledInbox<SqliteServer>(fixture);

/// <summary>A consumer that has acknowledged nearly all: slow pages of pending events make themselves fast.</summary>
public abstract class SettledInbox<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    /// <summary>More than one chunk of the mark's way.</summary>
    private const int Events = 40_000;

    [Fact]
    public async Task Pages_of_pending_events_come_to_begin_behind_what_is_settled()
    {
        var (server, tenant) = (fixture.Server, await fixture.Server.NewTenantAsync());
        server.InboxMarks.SlowPage = TimeSpan.Zero; // how fast a page of them is, is the machine's
        var fresh = (string)(await tenant.PostEventAsync("""{"type":"t","payload":{}}""")).Json["id"]!;
        await tenant.ReadInboxAsync(); // stored
        var no = Convert.ToInt64(
            await FullStore.SqlAsync(server, "SELECT organization_no FROM events LIMIT 1"), CultureInfo.InvariantCulture);
        await AddOldAsync(no);

        await Poll.UntilAsync(
            async () =>
            {
                var pending = await tenant.ReadInboxAsync("&status=pending");
                Assert.Equal<string>([Old(Events), fresh], [.. pending.Select(one => one.Id)]);
                return await MarkAsync(no) == Old(Events);
            },
            "the mark is at the only old one that is pending");
        var newest = InboxEvent.ReadPage((await tenant.GetAsync("/api/inbox?status=pending")).Bytes);
        Assert.Equal<string>([fresh, Old(Events)], [.. newest.Select(one => one.Id)]);
        Assert.DoesNotContain(
            server.Logs.Lines,
            line => line.Contains("nbox mark", StringComparison.Ordinal) && !line.StartsWith("Debug", StringComparison.Ordinal));
    }

    /// <summary>Numbers 1 and up; of an hour ago.</summary>
    private static string Old(int number) => Guid.ParseExact($"{Prefix}{number:x15}", "N").ToString();

    private static string Prefix { get; } = $"{TimeProvider.System.GetUtcNow().AddHours(-1).ToUnixTimeMilliseconds():x12}70008";

    private async Task AddOldAsync(long no)
    {
        var (numbers, id, bytes, now) = fixture.Store == StoreKind.Postgres
            ? ($"SELECT n FROM generate_series(1, {Events}) AS u (n)", $"('{Prefix}' || lpad(to_hex(n), 15, '0'))::uuid", "'{}'::bytea", "now()")
            : ($"WITH RECURSIVE u (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM u WHERE n < {Events}) SELECT n FROM u",
                $"unhex('{Prefix}' || printf('%015x', n))", "CAST('{}' AS BLOB)", "0");
        await FullStore.SqlAsync(
            fixture.Server,
            $"INSERT INTO events (organization_no, id, type, payload_hash, payload) SELECT {no}, {id}, 't', 0, {bytes} FROM ({numbers}) AS s");
        await FullStore.SqlAsync(
            fixture.Server,
            $"INSERT INTO acks (organization_no, event_id, at) SELECT {no}, {id}, {now} FROM ({numbers}) AS s WHERE n < {Events}");
    }

    private async Task<string?> MarkAsync(long no)
    {
        var column = fixture.Store == StoreKind.Postgres ? "settled_before::text" : "hex(settled_before)";
        return await FullStore.SqlAsync(fixture.Server, $"SELECT {column} FROM inbox_marks WHERE organization_no = {no}") is string text
            ? Guid.Parse(text).ToString() : null;
    }
}
