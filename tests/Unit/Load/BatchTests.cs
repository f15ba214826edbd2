using System.Text;
using System.Text.Json;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>Batches: what is sent, and what each item is taken to be answered.</summary>
public sealed class BatchTests
{
    private const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";
    private static readonly Uri Server = new("http://localhost:8080");

    [Fact]
    public void A_batch_is_one_request_with_the_events_in_order()
    {
        var source = Source(DedupMode.Unique);
        var encoder = new BatchEncoder(Server, "key", source);
        foreach (var first in (int[])[0, 7]) // The second batch overwrites the first.
        {
            encoder.Clear();
            for (var content = first; content < first + 3; content++) Assert.True(encoder.TryAdd(content));
            Assert.Equal(3, encoder.Count);
            var (head, body) = Split(encoder.Finish());
            Assert.StartsWith("POST /api/events/batch HTTP/1.1\r\n", head);
            Assert.Contains("X-API-Key: key\r\n", head);
            Assert.Contains($"Content-Length: {body.Length:D8}\r\n", head);
            using var json = JsonDocument.Parse(body);
            var contents = json.RootElement.EnumerateArray().Select(item =>
            {
                Assert.True(source.TryFindContent(Encoding.UTF8.GetBytes(item.GetProperty("payload").GetRawText()), out var content));
                Assert.Equal(source.DedupIdOf(content), item.GetProperty("dedup_id").GetString());
                return content;
            });
            Assert.Equal([first, first + 1, first + 2], contents);
        }
    }

    [Fact]
    public void A_batch_ends_before_it_is_too_large()
    {
        var template = new EventTemplate("large", Encoding.ASCII.GetBytes($"{{\"s\":\"{new string('x', 1_500_000)}\"}}"));
        var encoder = new BatchEncoder(Server, null, new EventSource([template], DedupMode.None, 1, "batch001"));
        Assert.True(encoder.TryAdd(0));
        Assert.True(encoder.TryAdd(1));
        Assert.False(encoder.TryAdd(2));
        Assert.InRange(Split(encoder.Finish()).Body.Length, 3_000_000, BatchEncoder.MostBytes);
    }

    [Fact]
    public void Every_item_has_the_answer_that_it_would_have_had_alone()
    {
        var json = Encoding.UTF8.GetBytes($$"""
            {"accepted":1,"duplicates":1,"rejected":2,"results":[{"index":0,"status":"accepted","id":"{{Id}}"},
            {"index":1,"status":"duplicate","event_id":"{{Id}}"},
            {"index":2,"status":"rejected","error":"Rate limit exceeded","code":"rate_limit_exceeded","message":"x"},
            {"index":3,"status":"rejected","error":"Invalid field","code":"invalid_field","message":"x","field":"type"}]}
            """);
        var items = new Answer[4];
        Assert.True(BatchResults.TryRead(json, items));
        Assert.Equal([202, 409, 429, 422], items.Select(item => item.Status));
        Assert.Equal([Id, Id], items.Take(2).Select(item => item.Id.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"results\":[]}")]
    [InlineData("{\"results\":[{\"index\":1,\"status\":\"accepted\"},{\"index\":0,\"status\":\"accepted\"}]}")]
    [InlineData("{\"results\":[{\"index\":0,\"status\":\"accepted\"}]}")]
    [InlineData("{\"results\":[{\"index\":0,\"status\":\"accepted\"},{\"index\":1,\"status\":\"maybe\"}]}")]
    [InlineData("{\"results\":[{\"index\":0,\"status\":\"accepted\"},{\"index\":1,\"status\":\"accepted\"},"
        + "{\"index\":2,\"status\":\"accepted\"}]}")]
    [InlineData("{\"results\":[{\"index\":\"0\",\"status\":\"accepted\"}")]
    public void An_answer_that_does_not_fit_the_batch_is_none(string json) =>
        Assert.False(BatchResults.TryRead(Encoding.UTF8.GetBytes(json), new Answer[2]));

    [Fact]
    public async Task Every_item_of_every_call_is_noted()
    {
        // The first call is refused whole, the others have one duplicate each.
        await using var server = new StubServer(
            request => request.Index == 0 ? StubServer.Answer(503, "{}") : StubServer.Answer(200, Results(request.Body)));
        var ledger = new Ledger();
        using var stop = new CancellationTokenSource();
        var settings = new LoadSettings { Server = server.Url, Source = Source(DedupMode.None), Connections = 2 };
        var figures = await new BatchRun(settings, itemsPerCall: 5, ledger).RunAsync(TimeSpan.FromSeconds(0.3), stop.Token);

        Assert.Equal(1, figures.Calls[503]);
        Assert.True(figures.Calls[200] > 0);
        Assert.Equal((figures.Calls[200] * 4, figures.Calls[200], 5), (figures.Items[202], figures.Items[409], figures.Items[503]));
        Assert.Equal(figures.Calls.Sum() * 5, ledger.Count);
        Assert.Equal(figures.Items[202], ledger.Entries.Count(entry => entry.Status == 202));
    }

    private static string Results(byte[] body)
    {
        using var json = JsonDocument.Parse(body);
        var results = json.RootElement.EnumerateArray().Select((_, index) =>
            $"{{\"index\":{index},\"status\":\"{(index == 2 ? "duplicate" : "accepted")}\","
            + $"\"{(index == 2 ? "event_id" : "id")}\":\"{Id}\"}}");
        return $"{{\"accepted\":4,\"duplicates\":1,\"rejected\":0,\"results\":[{string.Join(',', results)}]}}";
    }

    private static (string Head, byte[] Body) Split(ReadOnlySpan<byte> request)
    {
        var end = request.IndexOf("\r\n\r\n"u8) + 4;
        return (Encoding.ASCII.GetString(request[..end]), request[end..].ToArray());
    }

    private static EventSource Source(DedupMode dedup) => new(EventTemplates.Generate(200, 1), dedup, 1, "batch001");
}
