using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ZapierTriggers.Server.Storage;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Upgrades;

/// <summary>A start on what an older server has left migrates it and goes on.</summary>
public sealed partial class SchemaUpgradeTests
{
    private const string Old = "0190a000-0000-7000-8000-000000000001";
    private const string Delivered = "0190a000-0000-7000-8000-000000000002";
    private const string Endpoint = "0190a000-0000-7000-8000-0000000000aa";

    /// <summary>Each version that a server has been released or run with, but the newest.</summary>
    public static IEnumerable<TheoryDataRow<StoreKind, int>> Versions() =>
        from store in (StoreKind[])[StoreKind.Sqlite, StoreKind.Postgres]
        from version in Enumerable.Range(1, Migration.Load("Sqlite").Count - 1)
        select new TheoryDataRow<StoreKind, int>(store, version);

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task An_older_schema_with_data_is_migrated_and_goes_on(StoreKind store, int version)
    {
        await using var receiver = await Receiver.StartAsync();
        await using var server = await ServerUnderTest.StartAsync(store, "Retention:FreeDays=0");
        var key = (await server.NewTenantAsync()).Key; // a well-formed one
        await server.StopAsync();
        await ClearAsync(server, store);
        foreach (var migration in Migration.Load(store.ToString()).Take(version)) await FullStore.SqlAsync(server, migration.Sql);
        await FullStore.SqlAsync(server, VersionsSql(store, version));
        await FullStore.SqlAsync(server, Data(store, version, key, receiver.Url));

        await server.StartAsync();

        var tenant = new Tenant(server, "", key);
        Assert.Equal([Old, Delivered], (await tenant.ReadInboxAsync()).Select(one => one.Id));
        Assert.Equal([Delivered], (await tenant.ReadInboxAsync("&status=delivered")).Select(one => one.Id));
        Assert.Contains(receiver.Url, (await tenant.GetAsync("/api/endpoints")).Text, StringComparison.Ordinal);
        Assert.True((bool)(await tenant.GetAsync("/api/ledger")).Json["balanced"]!);
        Assert.Equal(2, (int)(await tenant.GetAsync("/api/usage?from=2024-07-01&to=2024-07-31")).Json["totals"]!["accepted"]!);
        var next = (await tenant.PostEventAsync("""{"type":"a","payload":{}}""")).Accepted();
        await Poll.UntilAsync(() => receiver.CountOf(next) == 1, "the next event goes out");
        Assert.Equal(0, receiver.CountOf(Delivered));
    }

    /// <summary>
    /// During a rolling upgrade the older server works on the newer schema: so a migration adds, and what it adds may be left out of an
    /// INSERT.
    /// </summary>
    [Theory]
    [InlineData("Postgres")]
    [InlineData("Sqlite")]
    public void Every_migration_after_the_first_only_adds(string store)
    {
        foreach (var migration in Migration.Load(store).Skip(1))
        {
            var sql = Comment().Replace(migration.Sql, "");
            Assert.DoesNotMatch(Takes(), Body().Replace(sql, "")); // what a trigger takes later is not the step's
            foreach (Match added in Added().Matches(sql))
                Assert.True(!added.Value.Contains("NOT NULL", StringComparison.OrdinalIgnoreCase) || added.Value.Contains("DEFAULT", StringComparison.OrdinalIgnoreCase), $"{migration.Name}: {added.Value}");
        }
    }

    private static async Task ClearAsync(ServerUnderTest server, StoreKind store)
    {
        if (store == StoreKind.Sqlite)
        {
            foreach (var file in Directory.EnumerateFiles(server.DataDirectory, "events.db*")) File.Delete(file);
            await using var made = new Microsoft.Data.Sqlite.SqliteConnection(
                $"Data Source={Path.Combine(server.DataDirectory, "events.db")};Pooling=False");
            await made.OpenAsync();
        }
        else
        {
            var schema = new Npgsql.NpgsqlConnectionStringBuilder(server.ConnectionString).SearchPath;
            await PostgresServer.ExecuteAsync($"DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}", server.ConnectionString);
        }
    }

    private static string VersionsSql(StoreKind store, int version)
    {
        var (table, now) = store == StoreKind.Sqlite ? ("applied_at INTEGER NOT NULL", "0") : ("applied_at timestamptz NOT NULL DEFAULT now()", "now()");
        var rows = string.Join(", ", Migration.Load(store.ToString()).Take(version).Select(one => $"({one.Version}, 'n', {now})"));
        return $"CREATE TABLE schema_versions (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, {table}); INSERT INTO schema_versions VALUES {rows}";
    }

    /// <summary>Rows in the columns of the first schema.</summary>
    private static string Data(StoreKind store, int version, string key, string url)
    {
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(key)));
        var postgres = store == StoreKind.Postgres;
        var (at, yes) = postgres ? ("'2024-07-11'::timestamptz", "true") : ("1720656000000", "1");
        var (hashed, payload) = postgres ? ($"'\\x{hash}'::bytea", "'{}'::bytea") : ($"x'{hash}'", "CAST('{}' AS BLOB)");
        var day = postgres
            ? $"CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('0190a000-0000-0000-0000-000000000000') TO ('0190b000-0000-0000-0000-000000000000');"
            : "";

        // From there on the server itself counts what it stores.
        var ledger = version >= 8 ? "INSERT INTO ledger_days (organization_no, day, kind, events) VALUES (7, 19915, 1, 2);" : "";
        var usage = version >= 9
            ? $"INSERT INTO usage_days (organization_no, day, kind, source, events, bytes) VALUES (7, 19915, 1, {Id(Guid.Empty.ToString())}, 2, 8);"
            : "";
        return $"""
            {day}
            INSERT INTO organizations (organization_no, id, name, tier, rate_limit_per_minute, route, created_at, updated_at)
            VALUES (7, {Id(Endpoint)}, 'Old', 'free', NULL, '{key[9..17]}', {at}, {at});
            INSERT INTO api_keys (organization_no, id, hash, prefix, name, scopes, created_at)
            VALUES (7, {Id(Old)}, {hashed}, '{key[..17]}', 'default', 'events:write inbox:read inbox:ack webhooks:manage keys:manage', {at});
            INSERT INTO events (organization_no, id, type, payload_hash, payload) VALUES (7, {Id(Old)}, 'a', 1, {payload}), (7, {Id(Delivered)}, 'a', 1, {payload});
            INSERT INTO endpoints (organization_no, id, is_default, url, secret, enabled, created_at, updated_at)
            VALUES (7, {Id(Endpoint)}, {yes}, '{url}', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {yes}, {at}, {at});
            INSERT INTO lanes (organization_no, endpoint_id, delivered_through) VALUES (7, {Id(Endpoint)}, {Id(Delivered)});
            INSERT INTO outcomes (organization_no, event_id, endpoint_id, status, at, attempts, response_status, latency_ms)
            VALUES (7, {Id(Delivered)}, {Id(Endpoint)}, 1, {at}, 1, 200, 5);
            {ledger}
            {usage}
            """;

        string Id(string id) => postgres ? $"'{id}'" : $"x'{id.Replace("-", "", StringComparison.Ordinal)}'";
    }

    [GeneratedRegex(@"--[^\n]*", RegexOptions.None, 5_000)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\$\$.*?\$\$", RegexOptions.Singleline, 5_000)]
    private static partial Regex Body();

    [GeneratedRegex(@"\b(DROP|RENAME|TRUNCATE|SET\s+NOT\s+NULL|ALTER\s+(COLUMN\s+)?\w+\s+(SET\s+DATA\s+)?TYPE)\b|\bDELETE\s+FROM\b", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Takes();

    [GeneratedRegex(@"\bADD\s+COLUMN\b[^,;]*", RegexOptions.IgnoreCase, 5_000)]
    private static partial Regex Added();
}
