using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StandardWebhooks;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.EndToEnd;

/// <summary>Events of a real producer go through the whole server: taken, listed and delivered byte for byte, in order.</summary>
public sealed class RealEvents
{
    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task Each_is_taken_listed_and_delivered_as_it_was_sent(StoreKind store)
    {
        // One in flight: only then is the order of delivery the order of the events.
        await using var server = await ServerUnderTest.StartAsync(store, "Delivery:MaxInFlightPerEndpoint=1");
        await using var receiver = await Receiver.StartAsync();
        var tenant = await server.NewTenantAsync();
        var secret = await tenant.SetWebhookAsync(receiver.Url);
        var lines = SampleEvents.Read();

        var ids = new List<string>();
        foreach (var line in lines) ids.Add((await tenant.PostEventAsync(line)).Accepted());

        var inbox = await tenant.ReadInboxAsync();
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.Equal(ids, inbox.Select(found => found.Id));
        Assert.Equal(lines.Select(TypeOf), inbox.Select(found => found.Type));
        Assert.Equal(lines.Select(PayloadOf), inbox.Select(found => found.Payload));

        await Poll.UntilAsync(() => receiver.Requests.Count >= ids.Count, "all are delivered");
        Assert.Equal(ids, receiver.Requests.Select(request => request.Id));
        foreach (var (request, line) in receiver.Requests.Zip(lines)) CheckDelivery(request, line, secret);
        await CheckStatusesAsync(tenant, ids, receiver.Url);
    }

    private static void CheckDelivery(Received request, string line, string secret)
    {
        var headers = new HeaderDictionary(request.Headers.ToDictionary(pair => pair.Key, pair => new StringValues(pair.Value)));
        new StandardWebhook(secret).Verify(request.Body, headers);
        using var body = JsonDocument.Parse(request.Body);
        var root = body.RootElement;
        Assert.Equal(["id", "event_id", "type", "data", "timestamp"], root.EnumerateObject().Select(property => property.Name));
        Assert.Equal(request.Id, root.GetProperty("id").GetString());
        Assert.Equal(request.Id, root.GetProperty("event_id").GetString());
        Assert.Equal(TypeOf(line), root.GetProperty("type").GetString());
        Assert.Equal(PayloadOf(line), root.GetProperty("data").GetRawText());
    }

    private static async Task CheckStatusesAsync(Tenant tenant, List<string> ids, string url)
    {
        IReadOnlyList<InboxEvent> delivered = [];
        await Poll.UntilAsync(
            async () => (delivered = await tenant.ReadInboxAsync("&status=delivered")).Count == ids.Count, "all are recorded");
        Assert.Equal(ids, delivered.Select(found => found.Id));
        Assert.All(delivered, found => Assert.Equal(("delivered", 1), (found.Status, found.Attempts)));
        Assert.Empty(await tenant.ReadInboxAsync("&status=pending"));

        var detail = (await tenant.GetAsync($"/api/events/{ids[0]}")).Json;
        var delivery = Assert.Single(detail["deliveries"]!.AsArray())!;
        Assert.Equal(url, (string?)delivery["url"]);
        Assert.Equal("delivered", (string?)delivery["status"]);
        var attempt = Assert.Single(delivery["attempts"]!.AsArray())!;
        Assert.Equal((1, 200), ((int)attempt["number"]!, (int)attempt["response_status"]!));
        Assert.Null(attempt["error"]);
    }

    private static string PayloadOf(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("payload").GetRawText();
    }

    private static string TypeOf(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("type").GetString()!;
    }
}
