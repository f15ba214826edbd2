using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DataRights;

public sealed class PostgresLedgerTests() : LedgerTests(StoreKind.Postgres);

public sealed class SqliteLedgerTests() : LedgerTests(StoreKind.Sqlite);

/// <summary>Every accepted event is in one place of the ledger.</summary>
public abstract class LedgerTests(StoreKind store)
{
    [Fact]
    public async Task Every_event_is_in_one_place()
    {
        await using var server = await ServerUnderTest.StartAsync(store, "Delivery:RetrySchedule=");
        await using var receiver = await Receiver.StartAsync();
        var tenant = await server.NewTenantAsync();
        var pending = await tenant.SendEventAsync("""{"n":0}""");
        var acknowledged = await tenant.SendEventAsync("""{"n":1}""");
        var erased = await tenant.SendEventAsync("""{"n":2}""");
        await tenant.PostAsync($"/api/ack/{acknowledged}");
        await tenant.EraseToTheEndAsync($$"""{"event_ids":["{{erased}}"]}""");
        await tenant.SetWebhookAsync(receiver.Url);
        var delivered = await tenant.SendEventAsync("""{"n":3}""");
        await Poll.UntilAsync(async () => (int)(await tenant.LedgerAsync())["delivered"]! == 1, "it is delivered");

        var ledger = await tenant.LedgerAsync();

        Assert.Equal((4, 1, 1, 1, 1), ((int)ledger["accepted"]!, (int)ledger["pending"]!, (int)ledger["acknowledged"]!, (int)ledger["erased"]!,
            (int)ledger["delivered"]!));
        var seen = await server.AdminAsync(HttpMethod.Get, $"/api/admin/organizations/{tenant.OrganizationId}/ledger");
        Assert.Equal(4, (int)seen.Json["accepted"]!);
        Assert.Equal(404, (await server.AdminAsync(HttpMethod.Get, $"/api/admin/organizations/{Guid.NewGuid()}/ledger")).Status);
        Assert.Equal(401, (await tenant.GetAsync($"/api/admin/organizations/{tenant.OrganizationId}/ledger")).Status);
        Assert.Equal([delivered, acknowledged, pending], (await tenant.ReadInboxAsync()).Select(one => one.Id).Reverse());
    }

    [Fact]
    public async Task The_figures_are_of_all_organizations()
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        for (var tenants = 0; tenants < 2; tenants++)
        {
            var tenant = await server.NewTenantAsync();
            var first = await tenant.SendEventAsync("""{"n":0}""");
            await tenant.SendEventAsync("""{"n":1}""");
            await tenant.EraseToTheEndAsync($$"""{"event_ids":["{{await tenant.SendEventAsync("""{"n":2}""")}}"]}""");
            await tenant.PostAsync($"/api/ack/{first}");
        }

        // A count that began before is followed by another one.
        string[] figures = ["accepted\":6", "acknowledged\":2", "pending\":2", "erased\":2"];
        await Poll.UntilAsync(
            async () =>
            {
                var detail = (await server.Client.GetFromJsonAsync<JsonNode>("/api/health/detailed"))!.ToJsonString();
                return figures.All(figure => detail.Contains($"\"zapier_ledger_events.{figure}", StringComparison.Ordinal));
            },
            "counted");
    }

    [Fact]
    public async Task Verify_tells_what_is_missing()
    {
        if (store == StoreKind.Postgres) return; // told by the same code; rows are taken out of the file here
        await using var server = await ServerUnderTest.StartAsync(store);
        var tenant = await server.NewTenantAsync();
        await tenant.PostManyAsync(50, n => $$$"""{"n":{{{n}}}}""");
        Assert.Equal(50, (await tenant.ReadInboxAsync()).Count);
        await server.StopAsync();
        Assert.Equal(0, (await server.VerifyAsync()).Code);
        await using (var connection = new Microsoft.Data.Sqlite.SqliteConnection(
            $"Data Source={Path.Combine(server.DataDirectory, "events.db")};Pooling=False"))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = "DELETE FROM events WHERE id = (SELECT max(id) FROM events)";
            await command.ExecuteNonQueryAsync();
        }

        var (code, output) = await server.VerifyAsync();

        Assert.Equal(3, code);
        Assert.Contains("missing ", output, StringComparison.Ordinal);
        Assert.Contains("accepted 50, there 49, removed 0", output, StringComparison.Ordinal);
    }
}
