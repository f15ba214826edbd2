using System.Text;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

/// <summary>The contract's rules, case by case.</summary>
public sealed class EventParserTests
{
    [Theory]
    [InlineData("", nameof(EventParseError.Empty))]
    [InlineData(" \r\n\t", nameof(EventParseError.Empty))]
    [InlineData("[]", nameof(EventParseError.NotAnObject))]
    [InlineData("\"type\"", nameof(EventParseError.NotAnObject))]
    [InlineData("null", nameof(EventParseError.NotAnObject))]
    [InlineData("\uFEFF{\"type\":\"t\",\"payload\":{}}", nameof(EventParseError.ByteOrderMark))]
    [InlineData("{'type':'t','payload':{}}", nameof(EventParseError.Malformed))]
    [InlineData("{type:\"t\",\"payload\":{}}", nameof(EventParseError.Malformed))]
    [InlineData("{\"type\":\"t\",\"payload\":{}", nameof(EventParseError.Malformed))]
    [InlineData("{\"type\":\"t\",\"payload\":{},}", nameof(EventParseError.Malformed))]
    [InlineData("{,\"type\":\"t\",\"payload\":{}}", nameof(EventParseError.Malformed))]
    [InlineData("{\"type\":\"t\" \"payload\":{}}", nameof(EventParseError.Malformed))]
    [InlineData("{\"type\" \"t\",\"payload\":{}}", nameof(EventParseError.Malformed))]
    [InlineData("{\"type\":\"t\",\"payload\":{}}}", nameof(EventParseError.TrailingBytes))]
    [InlineData("{\"type\":\"t\",\"payload\":{}},", nameof(EventParseError.TrailingBytes))]
    [InlineData("{\"type\":\"t\",\"payload\":{}}\0", nameof(EventParseError.TrailingBytes))]
    [InlineData("{\"type\":\"t\",\"payload\":{}} {}", nameof(EventParseError.TrailingBytes))]
    [InlineData("{\"type\":\"t\",\0\"payload\":{}}", nameof(EventParseError.Malformed))]
    [InlineData("{\"type\":\"t\0\",\"payload\":{}}", nameof(EventParseError.Malformed))]
    [InlineData("{\"type\":\"t\n\",\"payload\":{}}", nameof(EventParseError.Malformed))]
    [InlineData("/* c */{\"type\":\"t\",\"payload\":{}}", nameof(EventParseError.NotAnObject))]
    [InlineData("{\"type\":\"t\",// c\n\"payload\":{}}", nameof(EventParseError.Malformed))]
    [InlineData("{\"type\":\"t\",\u00A0\"payload\":{}}", nameof(EventParseError.Malformed))]
    [InlineData("{\"type\":\"t\",\v\"payload\":{}}", nameof(EventParseError.Malformed))]
    public void Invalid_json_is_refused(string body, string error) => Assert.Equal(error, ParsedEvent.Of(body).Error.ToString());

    [Theory]
    [InlineData("01")]
    [InlineData("-01")]
    [InlineData("+1")]
    [InlineData("-")]
    [InlineData(".5")]
    [InlineData("1.")]
    [InlineData("1e")]
    [InlineData("1e+")]
    [InlineData("1.e1")]
    [InlineData("0x10")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("True")]
    [InlineData("tru")]
    [InlineData("truee")]
    [InlineData("nul")]
    [InlineData("undefined")]
    [InlineData("\"\\x41\"")]
    [InlineData("\"\\u12\"")]
    [InlineData("\"\\u12G4\"")]
    [InlineData("\"\\U0041\"")]
    [InlineData("\"\\a\"")]
    [InlineData("\"\t\"")]
    [InlineData("[1,]")]
    [InlineData("[,1]")]
    [InlineData("[,]")]
    [InlineData("[1 2]")]
    [InlineData("[}")]
    [InlineData("{]")]
    [InlineData("{\"b\"}")]
    [InlineData("{\"b\":}")]
    [InlineData("{\"b\":1,}")]
    [InlineData("{1:1}")]
    [InlineData("")]
    public void Invalid_values_inside_the_payload_are_refused(string value) =>
        Assert.Equal(EventParseError.Malformed, ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{\"a\":{value}}}}}").Error);

    [Theory]
    [InlineData("-0")]
    [InlineData("0")]
    [InlineData("1e999")]
    [InlineData("-1E-999")]
    [InlineData("123456789012345678901234567890.123456789012345678901234567890")]
    [InlineData("[ ]")]
    [InlineData("{ }")]
    [InlineData("[[],{},[{}]]")]
    [InlineData("{\"b\":1,\"b\":2}")]
    [InlineData("\"\\u0000\\ud83d\\ude00\u2028/\u007F\"")]
    public void Unusual_but_valid_values_are_kept_byte_for_byte(string value)
    {
        var payload = $"{{ \"a\" :\t{value}\r\n}}";
        var parsed = ParsedEvent.Of($" {{\"type\":\"t\" , \"payload\" : {payload} }} \n");
        Assert.Equal((EventParseError.None, payload), (parsed.Error, parsed.Payload));
    }

    [Theory]
    [InlineData("\\ud800", nameof(EventParseError.LoneSurrogate))]
    [InlineData("\\udc00", nameof(EventParseError.LoneSurrogate))]
    [InlineData("\\ude00\\ud83d", nameof(EventParseError.LoneSurrogate))]
    [InlineData("\\ud83dx", nameof(EventParseError.LoneSurrogate))]
    [InlineData("\\ud83d\\n", nameof(EventParseError.LoneSurrogate))]
    [InlineData("\\ud83d\\ud83d\\ude00", nameof(EventParseError.LoneSurrogate))]
    [InlineData("\\uD83D\\uDE00", nameof(EventParseError.None))]
    public void Half_a_surrogate_pair_is_refused_wherever_it_is(string text, string error)
    {
        Assert.Equal(error, ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{\"a\":[\"{text}\"]}}}}").Error.ToString());
        Assert.Equal(error, ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{\"{text}\":1}}}}").Error.ToString());
        Assert.Equal(error, ParsedEvent.Of($"{{\"type\":\"{text}\",\"payload\":{{}}}}").Error.ToString());
        Assert.Equal(error, ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{}},\"{text}\":null}}").Error.ToString());
    }

    [Theory]
    [InlineData("FF")]
    [InlineData("C0 AF")]
    [InlineData("C3")]
    [InlineData("E2 82")]
    [InlineData("ED A0 80")]
    [InlineData("F4 90 80 80")]
    [InlineData("F0 9F 98")]
    public void Bytes_that_are_not_utf8_are_refused_with_their_place(string hex)
    {
        var bad = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        byte[] start = [.. "{\"type\":\"t\",\"payload\":{\"é\":\""u8];
        var parsed = ParsedEvent.Of([.. start, .. bad, .. "\"}}"u8]);
        Assert.Equal((EventParseError.InvalidUtf8, start.Length), (parsed.Error, parsed.Position));
    }

    [Fact]
    public void Utf16_is_refused()
    {
        const string Body = "{\"type\":\"t\",\"payload\":{}}";
        Assert.True(ParsedEvent.Of(Encoding.Unicode.GetBytes(Body)).Error.IsInvalidJson());
        Assert.True(ParsedEvent.Of(Encoding.BigEndianUnicode.GetBytes(Body)).Error.IsInvalidJson());
        Assert.True(ParsedEvent.Of([0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Body)]).Error.IsInvalidJson());
    }

    [Theory]
    [InlineData(62, nameof(EventParseError.None))]
    [InlineData(63, nameof(EventParseError.TooDeep))]
    [InlineData(500, nameof(EventParseError.TooDeep))]
    public void Nesting_goes_to_64_with_the_two_outer_objects(int arrays, string error)
    {
        var nested = new string('[', arrays) + new string(']', arrays);
        Assert.Equal(error, ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{\"a\":{nested}}}}}").Error.ToString());
        var objects = string.Concat(Enumerable.Repeat("{\"a\":", arrays)) + "1" + new string('}', arrays);
        Assert.Equal(error, ParsedEvent.Of($"{{\"type\":\"t\",\"payload\":{{\"a\":{objects}}}}}").Error.ToString());
    }

    [Theory]
    [InlineData("{\"type\":\"t\",\"payload\":{}", 24)]
    [InlineData("{\"type\":\"t\",\"payload\":{\"a\":01}}", 27)]
    [InlineData("{\"type\":\"t\",\"type\":\"t\"}", 12)]
    [InlineData("{\"type\":\"t\",\"payload\":{\"a\":\"0123456789012345678901\\q\"}}", 50)]
    [InlineData("  []", 2)]
    public void The_place_of_the_fault_is_told(string body, int position) => Assert.Equal(position, ParsedEvent.Of(body).Position);
}
