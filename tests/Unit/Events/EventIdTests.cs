using System.Text;
using CsCheck;
using UUIDNext.Tools;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

public sealed class EventIdTests
{
    private static readonly Gen<EventId> Ids = Gen.Select(Gen.ULong, Gen.ULong).Select((high, low) => new EventId(high, low));

    [Fact]
    public void Text_bytes_and_guid_hold_the_same_128_bits() =>
        Ids.Sample(id =>
        {
            var text = id.ToString();
            Assert.Equal(text, id.ToGuid().ToString());
            Assert.True(EventId.TryParse(text, out var parsed) && parsed == id);
            Assert.True(EventId.TryParse(text.ToUpperInvariant(), out parsed) && parsed == id);
            Assert.Equal(id, EventId.FromGuid(id.ToGuid()));
            Assert.Equal(id, EventId.FromBytes(id.ToByteArray()));

            var utf8 = new byte[EventId.TextLength];
            id.WriteUtf8(utf8);
            Assert.Equal(text, Encoding.ASCII.GetString(utf8));
            Assert.Equal($"<{text}>", $"<{id}>");
        });

    [Fact]
    public void Order_is_that_of_the_bytes_and_of_the_text() =>
        Gen.Select(Ids, Ids).Sample((a, b) =>
        {
            var order = Math.Sign(a.CompareTo(b));
            Assert.Equal(order, Math.Sign(a.ToByteArray().AsSpan().SequenceCompareTo(b.ToByteArray())));
            Assert.Equal(order, Math.Sign(string.CompareOrdinal(a.ToString(), b.ToString())));
            Assert.Equal([order < 0, order > 0, order <= 0, order >= 0], (bool[])[a < b, (a > b), a <= b, a >= b]);
            Assert.Equal((order == 0, order != 0), (a == b, a != b));
            Assert.True(a.Equals((object)new EventId(a.High, a.Low)) && a.GetHashCode() == new EventId(a.High, a.Low).GetHashCode());
        });

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0190163d-8694-739b-aea5-966c26f8ad9")]
    [InlineData("0190163d-8694-739b-aea5-966c26f8ad911")]
    [InlineData("{190163d-8694-739b-aea5-966c26f8ad9}")]
    [InlineData("0190163d8694-739b-aea5-966c26f8ad91-")]
    [InlineData("0190163d-8694-739b-aea5-966c26f8ad9g")]
    [InlineData(" 190163d-8694-739b-aea5-966c26f8ad91")]
    public void What_is_no_uuid_is_not_parsed(string? text) => Assert.False(EventId.TryParse(text, out _));

    [Fact]
    public void A_destination_that_is_too_small_is_told()
    {
        var id = new EventId(1, 2);
        Assert.False(id.TryFormat(new char[35], out var written, default, null));
        Assert.Equal(0, written);
        Assert.False(id.TryFormat(new byte[35], out written, default, null));
        Assert.Equal(0, written);
    }

    [Fact]
    public void Another_library_reads_version_variant_and_time() =>
        Gen.Long[0, (1L << 48) - 1].Sample(ms =>
        {
            var id = new EventIdGenerator(default).Next(ms);
            Assert.Equal(ms, id.UnixMilliseconds);
            Assert.Equal(0b10UL, id.Low >> 62);
            Assert.Equal(7, UuidDecoder.GetVersion(id.ToGuid()));
            if (ms > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return;
            Assert.True(UuidDecoder.TryDecodeTimestamp(id.ToGuid(), out var time));
            Assert.Equal(id.AcceptedAt.UtcDateTime, time);
        });

    [Fact]
    public void The_time_of_an_id_from_another_library_is_read()
    {
        var time = new DateTimeOffset(2031, 7, 9, 11, 13, 15, 17, TimeSpan.Zero);
        var id = EventId.FromGuid(UuidToolkit.CreateUuidV7FromSpecificDate(time));
        Assert.Equal(time, id.AcceptedAt);
        Assert.True(EventId.LowerBound(time) <= id && id < EventId.LowerBound(time.AddMilliseconds(1)));
    }
}
