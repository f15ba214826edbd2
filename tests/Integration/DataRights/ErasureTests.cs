using System.Globalization;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DataRights;

public sealed class PostgresErasureTests() : ErasureTests(StoreKind.Postgres);

public sealed class SqliteErasureTests() : ErasureTests(StoreKind.Sqlite);

/// <summary>Erased events are nowhere: not in the inbox, not in the journal, not after a restart, and nobody is sent them.</summary>
public abstract class ErasureTests(StoreKind store)
{
    [Fact]
    public async Task By_id_they_are_gone_from_store_and_journal_and_stay_so()
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        var tenant = await server.NewTenantAsync();
        var kept = await tenant.SendEventAsync("""{"who":"kept-person"}""");
        var gone = await tenant.SendEventAsync("""{"who":"erased-person"}""", "erased-dedup");
        Assert.Equal(2, (await tenant.ReadInboxAsync()).Count);
        Assert.True(server.JournalHolds("erased-person"));

        var reply = await tenant.EraseAsync($$"""{"event_ids":["{{gone}}","{{Guid.CreateVersion7()}}"]}""");

        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal((1, 1, gone), ((int)reply.Json["matched"]!, (int)reply.Json["erased"]!, (string)reply.Json["ids"]![0]!));
        Assert.True((bool)reply.Json["journal"]!["erased"]!);
        Assert.Equal("finished", (string?)reply.Json["status"]);
        var again = await tenant.GetAsync($"/api/erasures/{(string)reply.Json["erasure_id"]!}");
        Assert.Equal(reply.Text, again.Text);
        Assert.False(server.JournalHolds("erased-person"));
        Assert.False(server.JournalHolds("erased-dedup"));
        Assert.True(server.JournalHolds("kept-person"));
        Assert.Equal(404, (await tenant.GetAsync($"/api/events/{gone}")).Status);
        Assert.Equal(gone, (await DuplicateAsync(tenant)).Duplicate());

        await server.StopAsync();
        var (code, output) = await server.VerifyAsync();
        Assert.True(code == 0, output);
        await using (var text = new StringWriter(CultureInfo.InvariantCulture))
        {
            string[] settings =
                ["--store", $"--Storage:DataDirectory={server.DataDirectory}", $"--Storage:ConnectionString={server.ConnectionString}"];
            Assert.Equal(0, await ReplayJournalCommand.RunAsync(settings, text, CancellationToken.None));
        }

        await server.StartAsync();
        Assert.Equal(gone, (await DuplicateAsync(tenant)).Duplicate());
        Assert.Equal([kept], (await tenant.ReadInboxAsync()).Select(found => found.Id));
        Assert.Equal(1, (int)(await tenant.LedgerAsync())["erased"]!);
    }

    [Fact]
    public async Task By_payload_the_matching_ones_go_and_no_others()
    {
        await using var server = await ServerUnderTest.StartAsync(store);
        var tenant = await server.NewTenantAsync();
        var other = await server.NewTenantAsync();
        await tenant.PostManyAsync(1300, n => $$$"""{"user":{"id":"u{{{n % 10}}}"},"n":{{{n}}}}""");
        await other.PostManyAsync(20, n => $$$"""{"user":{"id":"u{{{n % 10}}}"}}""");
        const string Selection = """{"payload_field":"user.id","equals":"u3" """;

        var dry = await tenant.EraseAsync(Selection + ""","dry_run":true}""");
        Assert.True(dry.Status == 200, dry.Text);
        Assert.Equal((130, 0), ((int)dry.Json["matched"]!, (int)dry.Json["erased"]!));
        var reply = await tenant.EraseAsync(Selection + ""","type":"t"}""");

        Assert.Equal((130, 130), ((int)reply.Json["matched"]!, (int)reply.Json["erased"]!));
        var left = await tenant.ReadInboxAsync();
        Assert.Equal(1170, left.Count);
        Assert.DoesNotContain(left, found => found.Payload.Contains("\"u3\"", StringComparison.Ordinal));
        Assert.Equal(20, (await other.ReadInboxAsync()).Count);
        Assert.False(server.JournalHolds("\"n\":1293}"));
        Assert.Equal((1300, 130), ((int)(await tenant.LedgerAsync())["accepted"]!, (int)(await tenant.LedgerAsync())["erased"]!));
    }

    [Fact]
    public async Task One_that_waits_for_its_webhook_is_not_sent_any_more()
    {
        await using var server = await ServerUnderTest.StartAsync(
            store, "Delivery:RetrySchedule=100ms,100ms,100ms,100ms,100ms,100ms,100ms");
        await using var receiver = await Receiver.StartAsync();
        var tenant = await server.NewTenantAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await tenant.SetWebhookAsync(receiver.Url);
        var id = await tenant.SendEventAsync("""{"n":1}""");
        await Poll.UntilAsync(() => receiver.Requests.Count >= 2, "it was tried");

        Assert.Equal(200, (await tenant.EraseAsync($$"""{"event_ids":["{{id}}"]}""")).Status);

        receiver.Answer = (_, _) => Task.CompletedTask;
        var last = await tenant.SendEventAsync("""{"n":2}""");
        await Poll.UntilAsync(() => receiver.Requests.Any(one => one.Id == last), "the next one is delivered");
        var before = receiver.Requests.Count(one => one.Id == id);
        await server.StopAsync();
        Assert.Equal(before, receiver.Requests.Count(one => one.Id == id));
        var (code, output) = await server.VerifyAsync();
        Assert.True(code == 0 && !output.Contains("remark", StringComparison.Ordinal), output);
    }

    [Theory]
    [InlineData("""{}""", "event_ids")]
    [InlineData("""{"event_ids":[]}""", "event_ids")]
    [InlineData("""{"event_ids":["x"]}""", "event_ids")]
    [InlineData("""{"event_ids":["0198b3f0-0000-7000-8000-000000000000"],"payload_field":"a","equals":1}""", "event_ids")]
    [InlineData("""{"event_ids":["0198b3f0-0000-7000-8000-000000000000"],"type":"t"}""", "type")]
    [InlineData("""{"payload_field":"a"}""", "equals")]
    [InlineData("""{"payload_field":"a","equals":{}}""", "equals")]
    [InlineData("""{"payload_field":"a..b","equals":1}""", "payload_field")]
    [InlineData("""{"payload_field":7,"equals":1}""", "payload_field")]
    [InlineData("""{"payload_field":"a","equals":1,"from":"yesterday"}""", "from")]
    [InlineData("""{"payload_field":"a","equals":1,"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}""", "to")]
    [InlineData("""{"payload_field":"a","equals":1,"dry_run":"yes"}""", "dry_run")]
    public async Task What_cannot_be_understood_erases_nothing(string body, string field)
    {
        if (store == StoreKind.Postgres) return; // the body is read before any store is asked
        await using var server = await ServerUnderTest.StartAsync(store);
        var tenant = await server.NewTenantAsync();

        (await tenant.EraseAsync(body)).InvalidField(field);
    }

    private static Task<Reply> DuplicateAsync(Tenant tenant) =>
        tenant.PostEventAsync("""{"type":"user.changed","payload":{"who":"erased-person"},"dedup_id":"erased-dedup"}""");
}
