using System.Text;
using System.Text.Json;
using CsCheck;
using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class EventSourceTests
{
    private static readonly Uri Server = new("http://127.0.0.1:8080");

    [Theory]
    [InlineData("none", false, 0)]
    [InlineData("unique", true, 0)]
    [InlineData("dup:5%", true, 0.05)]
    [InlineData("dup:0.5%", true, 0.005)]
    public void Dedup_modes_are_read(string text, bool hasIds, double share) =>
        Assert.Equal(new DedupMode(hasIds, share), DedupMode.Parse(text));

    [Theory]
    [InlineData("dup")]
    [InlineData("dup:%")]
    [InlineData("dup:100%")]
    [InlineData("dup:-1%")]
    [InlineData("Unique")]
    public void Other_dedup_modes_are_refused(string text) => Assert.Throws<FormatException>(() => DedupMode.Parse(text));

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.5)]
    public void The_share_of_duplicates_is_as_asked(double share)
    {
        const int Count = 100_000;
        var source = Source(new DedupMode(true, share));
        var duplicates = Enumerable.Range(0, Count).Count(number => source.ContentOf(number) != number);
        Assert.InRange(duplicates / (double)Count, share - 0.006, share + 0.006);
    }

    [Fact]
    public void A_duplicate_repeats_an_earlier_original()
    {
        var source = Source(new DedupMode(true, 0.5));
        Gen.Long[0, 1_000_000].Sample(number =>
        {
            var content = source.ContentOf(number);
            return content <= number && source.ContentOf(content) == content;
        });
    }

    [Fact]
    public void Without_duplicates_every_request_is_its_own_content() =>
        Assert.All(Enumerable.Range(0, 1000), number => Assert.Equal(number, Source(DedupMode.Unique).ContentOf(number)));

    [Fact]
    public void A_request_is_a_whole_http_message_with_the_stamped_event()
    {
        var source = Source(DedupMode.Unique);
        var encoder = source.CreateEncoder(Server, "zap_live_x");
        foreach (var content in (long[])[0, 3, 17, 0x1234_5678_9abc])
        {
            var request = Encoding.UTF8.GetString(encoder.Encode(content));
            var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            var (head, body) = (request[..end], request[(end + 4)..]);
            Assert.StartsWith("POST /api/events HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nX-API-Key: zap_live_x\r\n", head);
            Assert.Contains($"Content-Length: {Encoding.UTF8.GetByteCount(body)}", head);

            using var json = JsonDocument.Parse(body);
            var payload = Encoding.UTF8.GetBytes(json.RootElement.GetProperty("payload").GetRawText());
            Assert.Equal(source.PayloadOf(content), payload);
            Assert.Equal(source.DedupIdOf(content), json.RootElement.GetProperty("dedup_id").GetString());
            Assert.True(source.TryFindContent(payload, out var found));
            Assert.Equal(content, found);
        }
    }

    [Fact]
    public void Without_dedup_ids_none_is_sent()
    {
        var source = Source(DedupMode.None);
        Assert.Null(source.DedupIdOf(1));
        Assert.Equal(-1, source.CreateEncoder(Server, null).Encode(1).IndexOf("dedup_id"u8));
    }

    [Fact]
    public void Every_changed_byte_of_a_payload_is_seen()
    {
        var source = Source(DedupMode.Unique);
        var payload = source.PayloadOf(5);
        Assert.True(source.PayloadEquals(5, payload));
        Assert.False(source.PayloadEquals(6, payload));
        Assert.False(source.PayloadEquals(5, payload.AsSpan(..^1)));
        for (var i = 0; i < payload.Length; i++)
        {
            payload[i] ^= 1;
            Assert.False(source.PayloadEquals(5, payload), $"byte {i}");
            payload[i] ^= 1;
        }
    }

    [Fact]
    public void Another_run_has_other_stamps()
    {
        var other = new EventSource(EventTemplates.Generate(100, 1), DedupMode.Unique, 1, "run00002");
        Assert.False(Source(DedupMode.Unique).TryFindContent(other.PayloadOf(1), out _));
        Assert.Throws<ArgumentException>(() => new EventSource(EventTemplates.Generate(100, 1), DedupMode.Unique, 1, "run-0002"));
    }

    [Theory]
    [InlineData("{}", "{\"load_id\":\"run00001-0000000000000000\"}")]
    [InlineData("{ \"a\":1 }", "{\"load_id\":\"run00001-0000000000000000\",\"a\":1 }")]
    public void The_stamp_becomes_the_first_member(string payload, string stamped)
    {
        var source = new EventSource([new EventTemplate("t", Encoding.UTF8.GetBytes(payload))], DedupMode.None, 1, "run00001");
        Assert.Equal(stamped, Encoding.UTF8.GetString(source.PayloadOf(0)));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(4000)]
    public void Generated_payloads_have_the_size_and_repeat_by_seed(int size)
    {
        var templates = EventTemplates.Generate(size, 1);
        Assert.All(templates, template => Assert.Equal(size, template.Payload.Length));
        Assert.All(templates, template => JsonDocument.Parse(template.Payload).Dispose());
        Assert.Equal(templates.Select(t => t.Payload), EventTemplates.Generate(size, 1).Select(t => t.Payload));
        Assert.NotEqual(templates.Select(t => t.Payload), EventTemplates.Generate(size, 2).Select(t => t.Payload));
    }

    [Fact]
    public void A_file_of_events_is_read_and_a_bad_line_is_named()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "{\"type\":\"a.b\",\"payload\":{\"n\": 1.0}}\n\n{\"payload\":{},\"type\":\"c\"}\n");
            var templates = EventTemplates.Load(path).Select(t => (t.Type, Encoding.UTF8.GetString(t.Payload)));
            Assert.Equal([("a.b", "{\"n\": 1.0}"), ("c", "{}")], templates);
            File.WriteAllText(path, "{\"type\":\"a\",\"payload\":{}}\n{\"type\":\"a\"}\n");
            Assert.Contains("line 2", Assert.Throws<InvalidDataException>(() => EventTemplates.Load(path)).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static EventSource Source(DedupMode dedup) => new(EventTemplates.Generate(120, 1), dedup, 1, "run00001");
}
