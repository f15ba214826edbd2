using System.IO.Hashing;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Bench.Operations;

/// <summary>Work on events: parsing a body, hashing a payload, issuing and writing ids.</summary>
internal static class EventOperations
{
    /// <summary>The operations.</summary>
    public static IReadOnlyList<Operation> All { get; } =
    [
        new("parse-60-bytes", () => Parse(Bodies.Small)),
        new("parse-400-bytes", () => Parse(Bodies.Usual)),
        new("parse-400-bytes-escaped-fields", () => Parse(Bodies.Escaped)),
        new("parse-10-kilobytes", () => Parse(Bodies.Large)),
        new("parse-unknown-keys", () => Parse(Bodies.UnknownKeys)),
        new("hash-400-bytes", () => Hash(Bodies.Usual)),
        new("hash-10-kilobytes", () => Hash(Bodies.Large)),
        new("issue-id", IssueId),
        new("write-id-as-utf8", WriteId),
    ];

    private static Func<long> Parse(byte[] body)
    {
        var scratch = new byte[EventParser.ScratchLength];
        return () =>
        {
            var fields = default(EventFields);
            return EventParser.Parse(body, ref fields, scratch) == EventParseError.None
                ? fields.PayloadLength
                : throw new InvalidOperationException("The benchmark's body is not an event.");
        };
    }

    private static Func<long> Hash(byte[] payload) => () => (long)XxHash3.HashToUInt64(payload);

    private static Func<long> IssueId()
    {
        var generator = new EventIdGenerator(default);
        return () => (long)generator.Next(1_900_000_000_000).Low;
    }

    private static Func<long> WriteId()
    {
        var id = new EventIdGenerator(default).Next(1_900_000_000_000);
        var text = new byte[EventId.TextLength];
        return () =>
        {
            id.WriteUtf8(text);
            return text[^1];
        };
    }
}
