using System.IO.Hashing;
using System.Net;
using System.Text;
using StandardWebhooks;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Receiving;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class FastReceiverTests : IDisposable
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";
    private const string Data = "{\"n\": 1.00, \"s\":\"\\u00e9\"}";
    private const string Body =
        $$"""{"id":"{{Id}}","event_id":"{{Id}}","type":"a.b","data":{{Data}},"timestamp":"2025-01-01T00:00:00.000Z"}""";

    private readonly HttpClient _client = new();

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task An_arrival_has_its_ids_hash_and_signature()
    {
        using var receiver = new FastReceiver { Secret = Secret };
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(receiver, Signature(Body))).StatusCode);

        var delivery = Assert.Single(receiver.TakeArrivals()).Delivery;
        Assert.Equal((Id, Id, true, 200), (delivery.WebhookId.ToString(), delivery.EventId.ToString(), delivery.Signed, delivery.Status));
        Assert.Equal(XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(Data)), delivery.DataHash);
        Assert.Equal((0, 1), (receiver.Count, receiver.Taken));
    }

    [Fact]
    public async Task Every_missing_signature_is_seen_and_a_wrong_one_by_the_sample()
    {
        using var receiver = new FastReceiver { Secret = Secret };
        for (var i = 1; i < FastReceiver.VerifyEvery; i++) await PostAsync(receiver, i == 3 ? "" : Signature(Body));
        await PostAsync(receiver, Signature(Body + " "));

        var arrivals = receiver.TakeArrivals().Select((arrival, index) => (arrival.Delivery.Signed, index));
        Assert.Equal([2, FastReceiver.VerifyEvery - 1], arrivals.Where(pair => !pair.Signed).Select(pair => pair.index));
    }

    [Fact]
    public async Task One_webhook_is_held_off_when_asked_for()
    {
        using var receiver = new FastReceiver();
        receiver.HoldNext(7);
        var held = await PostAsync(receiver, "");
        Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(7)), (held.StatusCode, held.Headers.RetryAfter!.Delta));
        Assert.Equal(0, receiver.Count);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(receiver, "")).StatusCode);
    }

    [Fact]
    public async Task A_failing_one_answers_500()
    {
        using var receiver = new FastReceiver(Manner.Fails);
        Assert.Equal(HttpStatusCode.InternalServerError, (await PostAsync(receiver, "")).StatusCode);
        Assert.Equal((0, 1), (receiver.Count, receiver.Taken));
    }

    [Fact]
    public async Task The_plain_client_posts_bodies_that_a_delivery_could_have()
    {
        var templates = EventTemplates.Generate(200, seed: 1);
        var source = new EventSource(templates, DedupMode.None, seed: 1, run: "testtest");
        using var receiver = new FastReceiver();
        using var plain = new PlainPoster(receiver.Url, templates, source);
        await plain.RunAsync(count: 50, inFlight: 8, CancellationToken.None);

        var hashes = receiver.TakeArrivals().Select(arrival => arrival.Delivery.DataHash).ToList();
        Assert.Equal(50, hashes.Count);
        Assert.Equal(Enumerable.Range(0, 16).Select(content => source.PayloadHashOf(content)).Order(), hashes.Distinct().Order());
        Assert.InRange(receiver.MostOpen, 1, 8);
    }

    [Fact]
    public async Task The_signing_client_sends_what_verifies()
    {
        var templates = EventTemplates.Generate(200, seed: 1);
        var source = new EventSource(templates, DedupMode.None, seed: 1, run: "testtest");
        using var receiver = new FastReceiver { Secret = Secret };
        using var plain = new PlainPoster(receiver.Url, templates, source, Secret);
        await plain.RunAsync(FastReceiver.VerifyEvery * 2, inFlight: 8, CancellationToken.None);

        var arrivals = receiver.TakeArrivals();
        Assert.Equal(FastReceiver.VerifyEvery * 2, arrivals.Count);
        Assert.All(arrivals, arrival => Assert.True(arrival.Delivery.Signed));
    }

    [Theory]
    [InlineData("", ParseResult.Incomplete)]
    [InlineData("POST / HTTP/1.1\r\nContent-Length: 2\r\n", ParseResult.Incomplete)]
    [InlineData("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{", ParseResult.Incomplete)]
    [InlineData("POST / HTTP/1.1\r\ncontent-length:2\r\n\r\n{}", ParseResult.Complete)]
    [InlineData("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", ParseResult.Invalid)]
    [InlineData("POST / HTTP/1.1\r\nContent-Length: 2x\r\n\r\n{}", ParseResult.Invalid)]
    internal void A_request_is_read_when_it_is_whole(string bytes, ParseResult result) =>
        Assert.Equal(result, WebhookMessage.TryRead(Encoding.ASCII.GetBytes(bytes), out _));

    [Fact]
    public void Percentiles_are_values_that_occurred()
    {
        var summary = LatencySummary.Of(Enumerable.Range(1, 200).Reverse().Select(number => TimeSpan.FromMilliseconds(number)));
        Assert.Equal(new LatencySummary(200, 100, 190, 198), summary);
        Assert.Equal(new LatencySummary(1, 5, 5, 5), LatencySummary.Of([TimeSpan.FromMilliseconds(5)]));
    }

    private static string Signature(string body) =>
        new StandardWebhook(Secret).Sign(Id, DateTimeOffset.FromUnixTimeSeconds(1_735_689_600), body);

    private async Task<HttpResponseMessage> PostAsync(FastReceiver receiver, string signature)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, receiver.Url) { Content = new StringContent(Body) };
        request.Headers.TryAddWithoutValidation("webhook-id", Id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", "1735689600");
        if (signature.Length > 0) request.Headers.TryAddWithoutValidation("webhook-signature", signature);
        return await _client.SendAsync(request);
    }
}
