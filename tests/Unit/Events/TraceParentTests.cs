using System.Text;
using CsCheck;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

/// <summary>W3C Trace Context, 3.2.2: what is a <c>traceparent</c> and what is not.</summary>
public sealed class TraceParentTests
{
    private const string Valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    [Theory]
    [InlineData(Valid)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]
    [InlineData("00-00000000000000000000000000000001-0000000000000001-ff")]
    [InlineData("00-10000000000000000000000000000000-ffffffffffffffff-03")]
    public void A_valid_one_is_read_and_written_as_it_was(string text)
    {
        Assert.True(TraceParent.TryParse(text, out var parsed));
        Assert.False(parsed.IsNone);
        Assert.Equal(text, parsed.ToString());
        Span<byte> bytes = stackalloc byte[TraceParent.ByteLength];
        parsed.WriteBytes(bytes);
        Assert.Equal(text[3..35] + text[36..52] + text[53..], Convert.ToHexStringLower(bytes));
        Assert.Equal(parsed, TraceParent.FromBytes(bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")] // forbidden version
    [InlineData("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")] // of which we know nothing
    [InlineData("00-00000000000000000000000000000000-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra")]
    [InlineData("00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7-01")]
    [InlineData(" 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-\u0660\u0661")] // digits, but not these
    public void Anything_else_is_none(string text)
    {
        Assert.False(TraceParent.TryParse(text, out var parsed));
        Assert.True(parsed.IsNone);
        Assert.Equal(("", 0), (parsed.ToString(), parsed.StoredLength));
    }

    [Fact]
    public void Any_changed_character_gives_another_or_none() =>
        Gen.Select(Gen.Int[0, Valid.Length - 1], Gen.Char).Sample((at, character) =>
        {
            var text = new StringBuilder(Valid) { [at] = character }.ToString();
            if (TraceParent.TryParse(text, out var parsed)) Assert.Equal(text, parsed.ToString());
        });

    [Theory]
    [InlineData(0)]
    [InlineData(24)]
    [InlineData(26)]
    public void Bytes_of_another_length_are_none(int length) => Assert.True(TraceParent.FromBytes(new byte[length]).IsNone);

    [Theory]
    [InlineData(Valid, Valid)]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "")]
    [InlineData("", "")]
    public void A_CloudEvent_names_its_trace(string attribute, string expected)
    {
        var body = Encoding.UTF8.GetBytes($$"""{"specversion":"1.0","id":"a","source":"urn:x","type":"t","traceparent":"{{attribute}}"}""");
        Assert.Equal(EventParseError.None, CloudEventText.Read(body, body, out _, out _, out _, out var trace));
        Assert.Equal(expected, trace.ToString());
    }

    [Theory]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("[]")]
    public void A_CloudEvent_with_something_else_there_has_none(string value)
    {
        var body = Encoding.UTF8.GetBytes($$"""{"specversion":"1.0","id":"a","source":"urn:x","type":"t","traceparent":{{value}}}""");
        Assert.Equal(EventParseError.None, CloudEventText.Read(body, body, out _, out _, out _, out var trace));
        Assert.True(trace.IsNone);
    }
}
