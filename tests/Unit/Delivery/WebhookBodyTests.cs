using System.Buffers;
using System.Text;
using System.Text.Json;
using CsCheck;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class WebhookBodyTests
{
    private static readonly EventId Id = new((1_767_225_600_007UL << 16) | 0x7000, 0x8000_0000_0000_0001);

    private static string Encode(string type, string payload)
    {
        var buffer = new ArrayBufferWriter<byte>();
        WebhookBody.Write(buffer, new DueEvent { Id = Id, Type = type, Payload = Encoding.UTF8.GetBytes(payload) });
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    [Fact]
    public void Fields_stand_in_the_order_of_the_contract()
    {
        Assert.Equal(
            $$"""{"id":"{{Id}}","event_id":"{{Id}}","type":"user.created","data":{"n": 1.0,"b":2},"timestamp":"2026-01-01T00:00:00.007Z"}""",
            Encode("user.created", """{"n": 1.0,"b":2}"""));
    }

    [Theory]
    [InlineData("""{"big": 12345678901234567890.10, "e":1E5, "u":"\u00e9", "z":1, "a":2 }""")]
    [InlineData("{ \n\t\"x\" : [ ] }")]
    [InlineData("""{"ü":"日本"}""")]
    public void The_payload_is_kept_byte_for_byte(string payload) =>
        Assert.Contains($"\"data\":{payload},\"timestamp\":", Encode("t", payload), StringComparison.Ordinal);

    [Fact]
    public void Any_type_comes_back_as_it_was()
    {
        Gen.String[Gen.Char, 1, 255].Where(type => !type.Any(char.IsSurrogate)).Sample(type =>
        {
            using var document = JsonDocument.Parse(Encode(type, "{}"));
            Assert.Equal(type, document.RootElement.GetProperty("type").GetString());
        });
    }

    [Theory]
    [InlineData("plain.type", "plain.type")]
    [InlineData("100%", "100%")]
    [InlineData("käse", "k%C3%A4se")]
    [InlineData("é%41", "%C3%A9%2541")]
    [InlineData("日", "%E6%97%A5")]
    [InlineData("a\r\nb", "a%0D%0Ab")]
    public void A_type_in_a_header_is_ascii(string type, string header) => Assert.Equal(header, HeaderText.Encode(type));
}
