using System.Security.Cryptography;
using CsCheck;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Unit.Journal;

public sealed class FrameTests
{
    private const ulong Secret = 0x0123_4567_89AB_CDEF;

    private static readonly Gen<string> Text = Gen.String[0, 255];

    private static readonly TraceParent Trace = new(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, 0x1122_3344_5566_7788, 1);

    private static readonly Gen<TestEvent> Events = Gen.Select(
        Gen.ULong[1, ulong.MaxValue], Gen.ULong, Gen.Int, Text, Text, Text, Gen.OneOf(Gen.Int[0, 100], Gen.Int[0, 20_000]), Gen.Bool,
        (high, low, organization, type, dedup, ordering, size, isTraced) => new TestEvent(
            new EventId(high, low), organization, Valid(type), Valid(dedup), Valid(ordering), new string('p', size), isTraced
                ? Trace
                : default));

    [Fact]
    public void What_was_written_is_read() =>
        Gen.Select(Events, Gen.Long).Sample(
            (item, sequence) =>
            {
                var bytes = Write(item, sequence);
                Assert.Equal(FrameState.Good, Frame.Read(bytes, Secret, out var frame));
                Assert.Equal((sequence, bytes.Length, true), (frame.Sequence, frame.Length, frame.IsWhole));
                Assert.Equal(item, TestEvent.Of(frame.Event));
            },
            iter: 2_000);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whether_the_server_told_it_is_kept(bool isOperational)
    {
        var item = TestEvent.Numbered(1, new EventId(5, 6)).ToJournaled() with { IsOperational = isOperational };
        var bytes = new byte[Frame.LengthOf(item)];
        Frame.Write(bytes, item, 1, Secret);

        Assert.Equal(FrameState.Good, Frame.Read(bytes, Secret, out var frame));
        Assert.Equal(isOperational, frame.Event.IsOperational);
    }

    [Fact]
    public void The_largest_event_fits_into_the_largest_frame()
    {
        var text = string.Concat(Enumerable.Repeat("\U0001F600", 255)); // four bytes each, the most that 255 characters can take
        var item = new TestEvent(new EventId(1, 1), 1, text, text, text, new string('p', EventLimits.MaxPayloadBytes));
        var bytes = Write(item, 1);
        Assert.Equal(Frame.MaxLength, bytes.Length);
        Assert.Equal(FrameState.Good, Frame.Read(bytes, Secret, out var frame));
        Assert.Equal(item, TestEvent.Of(frame.Event));
    }

    [Theory]
    [InlineData(25, true)]
    [InlineData(24, false)]
    [InlineData(0, false)]
    public void A_trace_that_would_make_the_header_longer_than_former_readers_take_is_left_out(int room, bool isKept)
    {
        const int Former = 3124; // what the versions before traces took at most
        var text = string.Concat(Enumerable.Repeat("\U0001F600", 255));
        var key = Fill((255 * 4) - room);
        var item = new TestEvent(new EventId(1, 1), 1, text, text, key, "{}", Trace);

        var bytes = Write(item, 1);

        Assert.InRange(BitConverter.ToUInt16(bytes, 12), 1, Former);
        Assert.Equal(FrameState.Good, Frame.Read(bytes, Secret, out var frame));
        Assert.Equal(isKept ? item : item with { Trace = default }, TestEvent.Of(frame.Event));
    }

    /// <summary>A text of so many bytes.</summary>
    private static string Fill(int bytes) => string.Concat(Enumerable.Repeat("\U0001F600", bytes / 4)) + new string('x', bytes % 4);

    [Fact]
    public void A_frame_without_a_trace_is_what_it_was_before_there_were_traces()
    {
        // Made by the version before.
        const string Before = "abb8a62e4463078f48000000430001002a0000000000000005000000000000000600000000000000"
            + "165c7027e1cd49130700000002000000010001000100000061646b7b7d000000";
        var item = new TestEvent(new EventId(5, 6), 7, "a", "d", "k", "{}");
        Assert.Equal(Before, Convert.ToHexStringLower(Write(item, 42)));
        Assert.Equal(FrameState.Good, Frame.Read(Convert.FromHexString(Before), Secret, out var frame));
        Assert.Equal(item, TestEvent.Of(frame.Event));
    }

    [Fact]
    public void A_reader_from_before_passes_over_the_trace()
    {
        // It takes the payload from behind the header, whose length it proves, and each text by its own length.
        var bytes = Write(TestEvent.Numbered(3, new EventId(5, 6)) with { Trace = Trace }, 42);
        var item = TestEvent.Numbered(3, new EventId(5, 6)).ToJournaled();
        var header = BitConverter.ToUInt16(bytes, 12);
        Assert.Equal(Frame.FixedLength + item.Type.Length + item.DedupId.Length + item.OrderingKey.Length + TraceParent.ByteLength, header);
        Assert.Equal(item.Payload.ToArray(), bytes[header..(header + item.Payload.Length)]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_flipped_bit_is_noticed_or_harmless(bool isTraced)
    {
        var item = TestEvent.Numbered(1, new EventId(5, 6), 77) with { Trace = isTraced ? Trace : default };
        var good = Write(item, 42);
        var journaled = item.ToJournaled();
        var header = Frame.FixedLength + journaled.Type.Length + journaled.DedupId.Length + journaled.OrderingKey.Length
            + journaled.TraceParent.StoredLength;
        for (var bit = 0; bit < good.Length * 8; bit++)
        {
            var bytes = good.ToArray();
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            var state = Frame.Read(bytes, Secret, out var frame);
            var expected = bit / 8 < header ? FrameState.BadHeader
                : bit / 8 < header + journaled.Payload.Length ? FrameState.BadPayload
                : FrameState.Good;
            Assert.Equal(expected, state);
            if (state == FrameState.Good) Assert.Equal(item, TestEvent.Of(frame.Event)); // padding
            if (state == FrameState.BadPayload) Assert.Equal((item.Id, false), (frame.Event.Id, frame.IsWhole));
        }
    }

    [Fact]
    public void A_frame_cut_off_anywhere_is_never_taken()
    {
        var bytes = Write(TestEvent.Numbered(1, new EventId(5, 6)), 42);
        for (var length = 0; length < bytes.Length; length++)
            Assert.Equal(FrameState.Incomplete, Frame.Read(bytes.AsMemory(0, length), Secret, out _));
    }

    [Fact]
    public void Zeros_are_the_end()
    {
        for (var length = 8; length < 200; length++) Assert.Equal(FrameState.End, Frame.Read(new byte[length], Secret, out _));
    }

    [Fact]
    public void Another_secret_and_another_sequence_are_refused()
    {
        var bytes = Write(TestEvent.Numbered(1, new EventId(5, 6)), 42);
        Assert.Equal(FrameState.BadHeader, Frame.Read(bytes, Secret + 1, out _));
        bytes[16]++;
        Assert.Equal(FrameState.BadHeader, Frame.Read(bytes, Secret, out _));
    }

    [Fact]
    public void Random_bytes_are_never_a_frame() =>
        Gen.Byte.Array[64, 400].Sample(bytes => Assert.NotEqual(FrameState.Good, Frame.Read(bytes, Secret, out _)), iter: 20_000);

    [Fact]
    public void A_frame_in_a_payload_does_not_pose_as_one_without_the_secret()
    {
        // What a tenant can do: put a whole frame, well-formed but for the secret, where a torn write may make the reader look.
        var forged = Frame8(TestEvent.Numbered(666, new EventId(9, 9)), 43, secret: RandomNumberGenerator.GetInt32(int.MaxValue));
        Assert.Equal(FrameState.BadHeader, Frame.Read(forged, Secret, out _));

        // Nor when it knows the secret: the reader goes from frame to frame and never searches.
        var payload = Frame8(TestEvent.Numbered(666, new EventId(9, 9)), 43, Secret);
        var hash = System.IO.Hashing.XxHash3.HashToUInt64(payload);
        var item = TestEvent.Numbered(1, new EventId(5, 6)).ToJournaled() with { Payload = payload, PayloadHash = hash };
        var bytes = new byte[Frame.LengthOf(item.Type.Length, item.DedupId.Length, item.OrderingKey.Length, payload.Length)];
        Frame.Write(bytes, item, 42, Secret);
        Assert.Equal(FrameState.Good, Frame.Read(bytes, Secret, out var frame));
        Assert.Equal((bytes.Length, new EventId(5, 6)), (frame.Length, frame.Event.Id));
        Assert.Equal(payload, frame.Event.Payload.ToArray());
    }

    private static byte[] Write(TestEvent item, long sequence) => Frame8(item, sequence, Secret);

    private static byte[] Frame8(TestEvent item, long sequence, ulong secret)
    {
        var journaled = item.ToJournaled();
        var bytes = new byte[Frame.LengthOf(journaled)];
        Random.Shared.NextBytes(bytes); // as in a ring that has gone round
        Frame.Write(bytes, journaled, sequence, secret);
        return bytes;
    }

    private static byte[] Frame8(TestEvent item, long sequence, int secret) => Frame8(item, sequence, (ulong)secret);

    /// <summary>Without halves of surrogate pairs, which do not survive UTF-8.</summary>
    private static string Valid(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));
}
