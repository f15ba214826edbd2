using System.Text;
using System.Text.Json;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.DataRights;

/// <summary>Memory is the whole process's: these run when no other test does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MeasuredAlone
{
    /// <summary>The collection's name.</summary>
    public const string Name = "measured alone";
}

[Collection(MeasuredAlone.Name)]
public sealed class PostgresExportTests(PostgresBackedServer fixture) : ExportTests<PostgresBackedServer>(fixture);

[Collection(MeasuredAlone.Name)]
public sealed class SqliteExportTests(SqliteServer fixture) : ExportTests<SqliteServer>(fixture);

/// <summary>An export has every event once, in order, byte for byte; it is whole or it does not end.</summary>
public abstract class ExportTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const int Many = 50_000;

    [Fact]
    public async Task Every_event_is_there_once_and_memory_stays_flat()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        await tenant.PostManyAsync(Many, n => $$"""{"n":{{n}},"filler":"{{new string('x', 400)}}"}""");
        await tenant.GetAsync("/api/inbox?limit=1"); // all are stored

        var (held, count) = (new List<long>(), 0);
        await foreach (var line in LinesAsync(tenant, "/api/export"))
        {
            using var one = JsonDocument.Parse(line);
            Assert.Equal(count++, one.RootElement.GetProperty("payload").GetProperty("n").GetInt32());
            if (count % 5_000 == 0) held.Add(GC.GetTotalMemory(forceFullCollection: true));
        }

        Assert.Equal(Many, count);

        // The least of each half, since buffers come and go; kept, 25,000 events would be over 20 MB.
        Assert.InRange(held[5..].Min() - held[..5].Min(), long.MinValue, 10 << 20);
    }

    [Fact]
    public async Task Payloads_are_byte_for_byte_in_every_form()
    {
        const string Payload = "{\"a\": 1.50e-1,\r\n \"q\":\"\\\"x\\\",\",\"ü\":[ ] }";
        var tenant = await fixture.Server.NewTenantAsync();
        var id = await tenant.SendEventAsync(Payload, "d,\\\"1");

        var json = await tenant.GetAsync("/api/export?format=json");
        Assert.Contains(Payload, json.Text, StringComparison.Ordinal);
        using (var array = JsonDocument.Parse(json.Bytes)) Assert.Equal(id, array.RootElement[0].GetProperty("id").GetString());
        var ndjson = await tenant.GetAsync("/api/export?format=ndjson");
        Assert.Contains(Payload.Replace("\r\n", "  ", StringComparison.Ordinal), ndjson.Text, StringComparison.Ordinal);
        Assert.Single(ndjson.Text.TrimEnd('\n').Split('\n'));
        var csv = await tenant.GetAsync("/api/export?format=csv");
        Assert.StartsWith("id,type,status,", csv.Text, StringComparison.Ordinal);
        Assert.Contains(",ordering_key,payload,traceparent\r\n", csv.Text, StringComparison.Ordinal);
        Assert.EndsWith($",\"{Payload.Replace("\"", "\"\"", StringComparison.Ordinal)}\",\r\n", csv.Text, StringComparison.Ordinal);
        Assert.Contains(",\"d,\"\"1\",", csv.Text, StringComparison.Ordinal);
        foreach (var (reply, name) in new[] { (json, "json"), (ndjson, "ndjson"), (csv, "csv") })
            Assert.Matches($"^attachment; filename=\"events-[0-9-]+\\.{name}\"$", reply.Headers["Content-Disposition"]);
    }

    [Fact]
    public async Task Filters_are_those_of_the_inbox()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var (one, two) = (await tenant.SendEventAsync("{}", type: "a"), await tenant.SendEventAsync("{}", type: "b"));
        await tenant.PostAsync($"/api/ack/{one}");

        Assert.Equal([two], await IdsAsync(tenant, "?type=b"));
        Assert.Equal([one], await IdsAsync(tenant, "?status=delivered"));
        Assert.Equal([one, two], await IdsAsync(tenant, "?from=2026-01-01T00:00:00Z"));
        Assert.Equal([], await IdsAsync(tenant, "?to=2026-01-01T00:00:00Z"));
        Assert.Equal("[]\n", (await tenant.GetAsync("/api/export?format=json&type=c")).Text);
    }

    [Theory]
    [InlineData("format=xml", "format")]
    [InlineData("status=gone", "status")]
    [InlineData("from=now", "from")]
    [InlineData("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to")]
    [InlineData("type=a&type=b", "type")]
    public async Task Bad_values_are_told(string query, string field)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        (await tenant.GetAsync($"/api/export?{query}")).InvalidField(field);
    }

    [Fact]
    public async Task A_client_that_leaves_leaves_nothing_behind()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        await tenant.PostManyAsync(3_000, n => $$"""{"filler":"{{new string('x', 3_500)}}"}""");
        for (var i = 0; i < 20; i++)
        {
            await foreach (var _ in LinesAsync(tenant, "/api/export")) break;
        }

        var whole = 0;
        await foreach (var _ in LinesAsync(tenant, "/api/export")) whole++;
        Assert.Equal(3_000, whole);
        Assert.Empty(fixture.Server.Logs.Lines);
    }

    private static async Task<IEnumerable<string>> IdsAsync(Tenant tenant, string query)
    {
        var text = (await tenant.GetAsync("/api/export" + query)).Text;
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(
            line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()!);
    }

    private async IAsyncEnumerable<string> LinesAsync(Tenant tenant, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-API-Key", tenant.Key);
        request.Options.Set(ContractHandler.IsStreamed, true);
        using var response = await fixture.Server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(200, (int)response.StatusCode);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(), Encoding.UTF8);
        while (await reader.ReadLineAsync() is { } line) yield return line;
    }
}
