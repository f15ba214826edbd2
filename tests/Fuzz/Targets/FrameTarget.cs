using System.IO.Hashing;
using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Fuzz.Targets;

/// <summary>
/// The frame reader on frame after frame: never outside of the bytes, and what it takes for good is what the writer writes of that event,
/// byte for byte up to the padding. A damaged payload is told from a damaged header.
/// </summary>
internal static class FrameTarget
{
    private const ulong Secret = 0x5EC2_E700_1234_5678;
    private const int MostFrames = 100;

    /// <summary>Runs the bytes of a segment from a frame's start on.</summary>
    public static void Run(byte[] segment)
    {
        var at = 0;
        for (var i = 0; i < MostFrames; i++)
        {
            var state = Frame.Read(segment.AsMemory(at), Secret, out var frame);
            if (state is not (FrameState.Good or FrameState.BadPayload)) return;
            Finding.Unless(frame.Length >= Frame.FixedLength && at + frame.Length <= segment.Length && frame.Length % 8 == 0,
                $"a frame of {frame.Length} bytes at {at} of {segment.Length}");
            Finding.Unless(frame.IsWhole == (state == FrameState.Good), $"{state}, but whole is {frame.IsWhole}");
            CheckRewritten(segment.AsSpan(at, frame.Length), frame);
            at += frame.Length;
        }
    }

    /// <summary>One frame of each kind, and three in a row.</summary>
    public static IEnumerable<byte[]> Seeds()
    {
        byte[][] frames = [Write(1, "a", "", "", "{}"), Write(2, "order.created", "d-1", "customer", """{"n":12.50,"s":"é"}"""),
            Write(long.MaxValue, new string('t', 255), new string('d', 255), new string('k', 255),
            "{\"x\":\"" + new string('y', 500) + "\"}"), Write(4, "traced", "", "", "{}", new TraceParent(1, 2, 3, 1))];
        return [.. frames, [.. frames[0], .. frames[1], .. frames[2]], [.. frames[1], .. new byte[64]], new byte[64], []];
    }

    private static void CheckRewritten(ReadOnlySpan<byte> bytes, ReadFrame frame)
    {
        var item = frame.Event;
        var written = new byte[Frame.LengthOf(item)];
        Finding.Unless(written.Length == frame.Length, $"a frame of {frame.Length} bytes would be written in {written.Length}");
        Frame.Write(written, item, frame.Sequence, Secret);
        var proven = Frame.FixedLength + item.Type.Length + item.DedupId.Length + item.OrderingKey.Length
            + item.TraceParent.StoredLength + item.Payload.Length;
        Finding.Unless(bytes[..proven].SequenceEqual(written.AsSpan(0, proven)), "a frame was taken that the writer does not write");
    }

    private static byte[] Write(long sequence, string type, string dedupId, string orderingKey, string payload, TraceParent trace = default)
    {
        var item = new JournaledEvent
        {
            OrganizationNo = 7,
            Id = new EventId((ulong)sequence << 8, 9),
            PayloadHash = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(payload)),
            Type = Encoding.UTF8.GetBytes(type),
            DedupId = Encoding.UTF8.GetBytes(dedupId),
            OrderingKey = Encoding.UTF8.GetBytes(orderingKey),
            Payload = Encoding.UTF8.GetBytes(payload),
            TraceParent = trace,
        };
        var bytes = new byte[Frame.LengthOf(item)];
        Frame.Write(bytes, item, sequence, Secret);
        return bytes;
    }
}
