using Microsoft.Data.Sqlite;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DataRights;

public sealed class PostgresOrganizationErasureTests() : OrganizationErasureTests(StoreKind.Postgres);

public sealed class SqliteOrganizationErasureTests() : OrganizationErasureTests(StoreKind.Sqlite);

/// <summary>An organization that is erased leaves nothing in any table and in no file of the journal.</summary>
public abstract class OrganizationErasureTests(StoreKind store)
{
    /// <summary>
    /// The log of who did what is the administrator's, and only ever added to; by its number in the others, which nothing leads back
    /// from, other servers hear that the organization is gone, and no journal brings its events back.
    /// </summary>
    private static readonly string[] Kept = ["audit_entries", "account_changes", "expirations"];

    [Fact]
    public async Task Nothing_of_it_is_left_and_another_keeps_all()
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        await using var receiver = await Receiver.StartAsync();
        var (one, two) = (await server.NewTenantAsync(name: "One"), await server.NewTenantAsync(name: "Two"));
        foreach (var tenant in (Tenant[])[one, two])
        {
            await tenant.SetWebhookAsync(receiver.Url);
            await tenant.PostManyAsync(700, n => $$$"""{"of":"{{{tenant.OrganizationId}}}","n":{{{n}}}}""");
            await tenant.PostAsync($"/api/ack/{await tenant.SendEventAsync("{}")}");
            await tenant.EraseAsync($$"""{"event_ids":["{{await tenant.SendEventAsync("{}", "d")}}"]}""");
        }

        await Poll.UntilAsync(() => receiver.Requests.Count > 100, "webhooks are sent");
        var path = $"/api/admin/organizations/{one.OrganizationId}";
        (await server.AdminAsync(HttpMethod.Delete, path, """{"confirm":"Two"}""")).InvalidField("confirm");
        (await server.AdminAsync(HttpMethod.Delete, path, "{}")).InvalidField("confirm");
        var inbox = (await two.ReadInboxAsync()).Count;

        var reply = await server.AdminAsync(HttpMethod.Delete, path, """{"confirm":"One"}""");

        Assert.True(reply.Status == 202, reply.Text);
        Assert.Equal(401, (await one.GetAsync("/api/inbox")).Status);
        Assert.Equal(401, (await one.PostEventAsync("""{"type":"t","payload":{}}""")).Status);
        await Poll.UntilAsync(
            async () => (await server.AdminAsync(HttpMethod.Delete, path, """{"confirm":"One"}""")).Status == 404, "it is gone");
        Assert.False(server.JournalHolds(one.OrganizationId));
        Assert.True(server.JournalHolds(two.OrganizationId));
        Assert.Equal(inbox, (await two.ReadInboxAsync()).Count);
        await server.StopAsync();
        var only = Assert.Single(await NumbersAsync(server));
        Assert.Equal("Two", only.Name);
        foreach (var (table, numbers) in (await TablesAsync(server)).Where(one => !Kept.Contains(one.Table)))
            Assert.True(numbers.All(no => no == only.No || no == 0), table);
        var (code, output) = await server.VerifyAsync();
        Assert.True(code == 0, output);
    }

    /// <summary>The organizations there are.</summary>
    private static async Task<IReadOnlyList<(long No, string Name)>> NumbersAsync(ServerUnderTest server)
    {
        var rows = await QueryAsync(server, "SELECT organization_no || ' ' || name FROM organizations");
        return [.. rows.Select(
            row => (long.Parse(row.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture), row.Split(' ')[1]))];
    }

    /// <summary>Every table that has a column for the organization, with the numbers in it.</summary>
    private static async Task<IReadOnlyList<(string Table, IReadOnlyList<long> Numbers)>> TablesAsync(ServerUnderTest server)
    {
        var tables = await QueryAsync(server, server.ConnectionString is null
            ? "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'organization_no' WHERE m.type = 'table'"
            : "SELECT table_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'organization_no'");
        Assert.True(tables.Count > 10, string.Join(' ', tables));
        var all = new List<(string, IReadOnlyList<long>)>();
        foreach (var table in tables)
        {
            var numbers = await QueryAsync(server, $"SELECT DISTINCT organization_no || '' FROM {table}");
            all.Add((table, [.. numbers.Select(no => long.Parse(no, System.Globalization.CultureInfo.InvariantCulture))]));
        }

        return all;
    }

    private static async Task<List<string>> QueryAsync(ServerUnderTest server, string sql)
    {
        System.Data.Common.DbConnection connection = server.ConnectionString is { } text
            ? new Npgsql.NpgsqlConnection(text)
            : new SqliteConnection($"Data Source={Path.Combine(server.DataDirectory, "events.db")};Pooling=False");
        await using var open = connection;
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync()) rows.Add(reader.GetString(0));
        return rows;
    }
}
