using System.IO.Hashing;
using System.Net;
using System.Text;
using StandardWebhooks;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class ReceiverTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";
    private const string Data = "{\"n\": 1.00, \"s\":\"\\u00e9\"}";
    private const string Body =
        $$"""{"id":"{{Id}}","event_id":"{{Id}}","type":"a.b","data":{{Data}},"timestamp":"2025-01-01T00:00:00.000Z"}""";

    [Fact]
    public async Task A_delivery_is_logged_with_its_ids_data_and_signature()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Secret = Secret;
        Assert.Equal(HttpStatusCode.OK, await PostAsync(receiver, Body, Signature(Body)));
        var delivery = Assert.Single(receiver.Log.ToList());
        Assert.Equal((Id, Id), (delivery.WebhookId.ToString(), delivery.EventId.ToString()));
        Assert.Equal(XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(Data)), delivery.DataHash);
        Assert.True(delivery.Signed);
        await receiver.Log.WaitForAsync(1);
    }

    [Fact]
    public async Task One_right_signature_among_several_is_enough()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Secret = Secret;
        await PostAsync(receiver, Body, "v1,AAAA " + Signature(Body));
        Assert.True(Assert.Single(receiver.Log.ToList()).Signed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("v1,AAAA")]
    public async Task A_wrong_signature_is_seen(string signature)
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Secret = Secret;
        await PostAsync(receiver, Body, signature);
        await PostAsync(receiver, Body.Replace("1.00", "1.0"), Signature(Body));
        Assert.Equal([false, false], receiver.Log.ToList().Select(delivery => delivery.Signed));
    }

    [Fact]
    public async Task Every_nth_delivery_fails_and_does_not_count_as_delivered()
    {
        await using var receiver = await Receiver.StartAsync(new ReceiverSettings { FailEvery = 3 });
        var statuses = new List<int>();
        for (var i = 0; i < 6; i++) statuses.Add((int)await PostAsync(receiver, Body, ""));
        Assert.Equal([200, 200, 500, 200, 200, 500], statuses);
        Assert.Equal(1, receiver.Log.Succeeded);
        Assert.False(receiver.Log.WaitForAsync(2).IsCompleted);
    }

    [Fact]
    public async Task What_was_accepted_is_waited_for_whatever_else_comes()
    {
        var (wanted, refused, other) = (new EventId(1, 1), new EventId(2, 2), new EventId(3, 3));
        var (log, ledger) = (new DeliveryLog(), new Ledger());
        foreach (var (number, id, status) in ((long, EventId, int)[])[(0, wanted, 202), (1, refused, 409)])
        {
            ledger.NoteSent(number, number, nanoseconds: 0);
            ledger.NoteAnswer(number, new Answer(status, id, Close: false));
        }

        var waiting = log.WaitForAsync(ledger, TestContext.Current.CancellationToken);
        log.Add(new(other, other, 0, Signed: true, 200));
        log.Add(new(wanted, wanted, 0, Signed: true, 500));
        Assert.False(waiting.IsCompleted);

        log.Add(new(wanted, wanted, 0, Signed: true, 200));
        await waiting;
        Assert.True(log.WaitForAsync(ledger, TestContext.Current.CancellationToken).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_large_body_is_read_whole()
    {
        await using var receiver = await Receiver.StartAsync();
        var data = $"{{\"s\":\"{new string('x', 300_000)}\"}}";
        await PostAsync(receiver, Body.Replace(Data, data), "");
        Assert.Equal(XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(data)), Assert.Single(receiver.Log.ToList()).DataHash);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[1]")]
    [InlineData("{\"id\":1}")]
    [InlineData("{\"id\":\"x\"")]
    public async Task A_body_that_is_no_delivery_is_logged_without_an_id(string body)
    {
        await using var receiver = await Receiver.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await PostAsync(receiver, body, ""));
        Assert.True(Assert.Single(receiver.Log.ToList()).EventId.IsZero);
    }

    private static string Signature(string body) =>
        new StandardWebhook(Secret).Sign(Id, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), body);

    private static async Task<HttpStatusCode> PostAsync(Receiver receiver, string body, string signature)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, receiver.Url) { Content = new StringContent(body) };
        request.Headers.Add("webhook-id", Id);
        request.Headers.Add("webhook-timestamp", "1700000000");
        request.Headers.TryAddWithoutValidation("webhook-signature", signature);
        using var response = await client.SendAsync(request);
        return response.StatusCode;
    }
}
