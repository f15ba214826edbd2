using System.Text.Json;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

/// <summary>The rules of the single fields, and which of several faults is told.</summary>
public sealed class EventParserFieldTests
{
    [Theory]
    [InlineData("{}", nameof(EventParseError.MissingFields))]
    [InlineData("{\"type\":\"t\"}", nameof(EventParseError.MissingFields))]
    [InlineData("{\"payload\":{}}", nameof(EventParseError.MissingFields))]
    [InlineData("{\"Type\":\"t\",\"Payload\":{}}", nameof(EventParseError.MissingFields))]
    [InlineData("{\"type\":null,\"payload\":{}}", nameof(EventParseError.TypeNotString))]
    [InlineData("{\"type\":1,\"payload\":{}}", nameof(EventParseError.TypeNotString))]
    [InlineData("{\"type\":\"\",\"payload\":{}}", nameof(EventParseError.TypeEmpty))]
    [InlineData("{\"type\":\"a\\u0000b\",\"payload\":{}}", nameof(EventParseError.TypeHasControlCharacter))]
    [InlineData("{\"type\":\"a\\n\",\"payload\":{}}", nameof(EventParseError.TypeHasControlCharacter))]
    [InlineData("{\"type\":\"\u007F\",\"payload\":{}}", nameof(EventParseError.TypeHasControlCharacter))]
    [InlineData("{\"type\":\"é\u0080\",\"payload\":{}}", nameof(EventParseError.TypeHasControlCharacter))]
    [InlineData("{\"type\":\"\u00A0\u009F\",\"payload\":{}}", nameof(EventParseError.TypeHasControlCharacter))]
    [InlineData("{\"type\":\"\u00A0é\",\"payload\":{}}", nameof(EventParseError.None))]
    [InlineData("{\"type\":\"t\",\"payload\":null}", nameof(EventParseError.PayloadNotObject))]
    [InlineData("{\"type\":\"t\",\"payload\":[]}", nameof(EventParseError.PayloadNotObject))]
    [InlineData("{\"type\":\"t\",\"data\":\"{}\"}", nameof(EventParseError.PayloadNotObject))]
    [InlineData("{\"type\":\"t\",\"data\":{}}", nameof(EventParseError.None))]
    [InlineData("{\"type\":\"t\",\"data\":{},\"payload\":{}}", nameof(EventParseError.None))]
    [InlineData("{\"type\":\"t\",\"data\":{ },\"payload\":{}}", nameof(EventParseError.PayloadAndDataDiffer))]
    [InlineData("{\"type\":\"t\",\"data\":null,\"payload\":{}}", nameof(EventParseError.PayloadAndDataDiffer))]
    [InlineData("{\"type\":\"t\",\"payload\":{},\"dedup_id\":1}", nameof(EventParseError.DedupIdNotString))]
    [InlineData("{\"type\":\"t\",\"payload\":{},\"dedup_id\":{}}", nameof(EventParseError.DedupIdNotString))]
    [InlineData("{\"type\":\"t\",\"payload\":{},\"dedup_id\":\"\\u0000\"}", nameof(EventParseError.DedupIdHasNul))]
    [InlineData("{\"type\":\"t\",\"payload\":{},\"dedup_id\":null,\"ordering_key\":\"\"}", nameof(EventParseError.None))]
    [InlineData("{\"type\":\"t\",\"payload\":{},\"ordering_key\":[]}", nameof(EventParseError.OrderingKeyNotString))]
    [InlineData("{\"type\":\"t\",\"payload\":{},\"ordering_key\":\"a\\u0000\"}", nameof(EventParseError.OrderingKeyHasNul))]
    [InlineData("{\"type\":\"t\",\"payload\":{},\"ordering_key\":\"\\u0001\"}", nameof(EventParseError.None))]
    public void Each_field_has_its_rule(string body, string error) => Assert.Equal(error, ParsedEvent.Of(body).Error.ToString());

    [Theory]
    [InlineData("{\"type\":\"\",\"payload\":[],\"dedup_id\":1,\"ordering_key\":1}x", nameof(EventParseError.TrailingBytes))]
    [InlineData("{\"type\":\"\",\"dedup_id\":1,\"ordering_key\":1}", nameof(EventParseError.MissingFields))]
    [InlineData("{\"ordering_key\":1,\"dedup_id\":1,\"payload\":[],\"type\":\"\"}", nameof(EventParseError.TypeEmpty))]
    [InlineData("{\"ordering_key\":1,\"dedup_id\":1,\"payload\":[],\"type\":\"t\"}", nameof(EventParseError.PayloadNotObject))]
    [InlineData("{\"ordering_key\":1,\"dedup_id\":1,\"payload\":{},\"type\":\"t\"}", nameof(EventParseError.DedupIdNotString))]
    public void Of_several_faults_the_gravest_is_told(string body, string error) =>
        Assert.Equal(error, ParsedEvent.Of(body).Error.ToString());

    [Theory]
    [InlineData("a")]
    [InlineData("é")]
    [InlineData("中")]
    [InlineData("😀")]
    [InlineData("\\n")]
    [InlineData("\\u00e9")]
    [InlineData("\\ud83d\\ude00")]
    public void Length_is_counted_in_characters_after_unescaping(string character)
    {
        var longest = string.Concat(Enumerable.Repeat(character, 255));
        var decoded = JsonSerializer.Deserialize<string>($"\"{longest}\"")!;
        var parsed = ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{}},\"dedup_id\":\"{longest}\",\"ordering_key\":\"{longest}\"}}");
        Assert.Equal((EventParseError.None, decoded, decoded), (parsed.Error, parsed.DedupId, parsed.OrderingKey));

        foreach (var tooLong in new[] { longest + character, longest + "a", string.Concat(Enumerable.Repeat(longest, 9)) })
        {
            Assert.Equal(EventParseError.TypeTooLong, ParsedEvent.Of($"{{\"type\":\"{tooLong}\",\"payload\":{{}}}}").Error);
            var rest = $"\":\"{tooLong}\",\"type\":\"t\",\"payload\":{{}}}}";
            Assert.Equal(EventParseError.DedupIdTooLong, ParsedEvent.Of("{\"dedup_id" + rest).Error);
            Assert.Equal(EventParseError.OrderingKeyTooLong, ParsedEvent.Of("{\"ordering_key" + rest).Error);
        }
    }

    [Theory]
    [InlineData("\"type\":\"t\"")]
    [InlineData("\"t\\u0079pe\":\"t\"")]
    [InlineData("\"x\":1,\"x\":1")]
    [InlineData("\"x\":1,\"\\u0078\":1")]
    [InlineData("\"\\/\":1,\"\\u002f\":1")]
    [InlineData("\"\":1,\"\":1")]
    [InlineData("\"😀\":1,\"\\ud83d\\ude00\":1")]
    public void A_twin_of_a_top_level_key_is_refused(string members) =>
        Assert.Equal(EventParseError.TwinKey, ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{}},{members}}}").Error);

    [Fact]
    public void A_twin_is_found_among_very_many_keys()
    {
        var members = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"k{i}\":0"));
        Assert.Equal(EventParseError.None, ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{}},{members}}}").Error);
        Assert.Equal(EventParseError.TwinKey, ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{}},{members},\"k777\":1}}").Error);
    }

    [Fact]
    public void Escaped_names_are_the_same_fields()
    {
        var parsed = ParsedEvent.Of("""{"\u0074ype":"a\u0062\\\".","payload":{}}""");
        Assert.Equal((EventParseError.None, "ab\\\"."), (parsed.Error, parsed.Type));
    }

    [Theory]
    [InlineData(nameof(EventParseError.InvalidUtf8), null)]
    [InlineData(nameof(EventParseError.MissingFields), null)]
    [InlineData(nameof(EventParseError.TypeTooLong), "type")]
    [InlineData(nameof(EventParseError.PayloadAndDataDiffer), "payload")]
    [InlineData(nameof(EventParseError.DedupIdHasNul), "dedup_id")]
    [InlineData(nameof(EventParseError.OrderingKeyHasNul), "ordering_key")]
    public void A_field_error_names_its_field(string error, string? field) =>
        Assert.Equal(field, Enum.Parse<EventParseError>(error).Field());
}
