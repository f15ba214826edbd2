using System.Buffers;
using System.Runtime.CompilerServices;

namespace ZapierTriggers.Core.Events;

/// <summary>Where a member's value is in the body.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">Bytes, without surrounding white space; 0 = there is no such member.</param>
internal readonly record struct JsonMember(int Offset, int Length);

/// <summary>The members of an event's top-level object: reads all, keeps the places of the five known ones, refuses twins.</summary>
internal static class EventMembers
{
    /// <summary>Index of <c>type</c> among the known members.</summary>
    public const int Type = 0;

    /// <summary>Index of <c>payload</c>.</summary>
    public const int Payload = 1;

    /// <summary>Index of <c>data</c>, the payload's alias.</summary>
    public const int Data = 2;

    /// <summary>Index of <c>dedup_id</c>.</summary>
    public const int DedupId = 3;

    /// <summary>Index of <c>ordering_key</c>.</summary>
    public const int OrderingKey = 4;

    /// <summary>How many members are known.</summary>
    public const int Count = 5;

    private const int Unknown = -1;
    private const int Twin = -2;

    /// <summary>
    /// Reads the whole body, valid UTF-8, into <paramref name="known"/> (<see cref="Count"/> places, cleared by the caller). On an error
    /// <paramref name="errorPosition"/> is where it was noticed.
    /// </summary>
    public static EventParseError Read(ReadOnlySpan<byte> body, Span<JsonMember> known, out int errorPosition)
    {
        var scanner = new JsonScanner(body);
        var others = default(JsonKeySet);
        var end = ReadObject(body, ref scanner, known, ref others);
        others.Return();
        if (end >= 0)
        {
            scanner.Next(ref end);
            if (end < body.Length) scanner.Fail(EventParseError.TrailingBytes, end);
        }

        errorPosition = scanner.ErrorPosition;
        return scanner.Error;
    }

    private static int ReadObject(ReadOnlySpan<byte> body, ref JsonScanner scanner, Span<JsonMember> known, ref JsonKeySet others)
    {
        var at = 0;
        var first = scanner.Next(ref at);
        if (first != '{') return scanner.Fail(at == body.Length ? EventParseError.Empty : EventParseError.NotAnObject, at);
        at++;
        if (scanner.Next(ref at) == '}') return at + 1;

        while (true)
        {
            // 1. The name: known, unknown, or a twin.
            var name = at;
            at = scanner.SkipString(at);
            if (at < 0) return -1;
            var index = Find(body[(name + 1)..(at - 1)], known, ref others);
            if (index == Twin) return scanner.Fail(EventParseError.TwinKey, name);

            // 2. The colon and the value.
            if (scanner.Next(ref at) != ':') return scanner.Fail(EventParseError.Malformed, at);
            at++;
            scanner.Next(ref at);
            var value = at;
            at = scanner.SkipValue(value, depth: 1);
            if (at < 0) return -1;
            if (index >= 0) known[index] = new JsonMember(value, at - value);

            // 3. A comma and the next member, or the end.
            var next = scanner.Next(ref at);
            if (next == '}') return at + 1;
            if (next != ',') return scanner.Fail(EventParseError.Malformed, at);
            at++;
            scanner.Next(ref at);
        }
    }

    private static int Find(ReadOnlySpan<byte> name, ReadOnlySpan<JsonMember> known, ref JsonKeySet others)
    {
        var index = IndexOf(name);
        if (index >= 0) return known[index].Length == 0 ? index : Twin;
        return name.Contains((byte)'\\') ? FindEscaped(name, known, ref others) : others.Add(name) ? Unknown : Twin;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int FindEscaped(ReadOnlySpan<byte> name, ReadOnlySpan<JsonMember> known, ref JsonKeySet others)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(name.Length); // an escape is never shorter than what it stands for
        var decoded = buffer.AsSpan(0, JsonEscape.Decode(name, buffer));
        var index = IndexOf(decoded);
        if (index >= 0 && known[index].Length > 0) index = Twin;
        if (index == Unknown && !others.Add(decoded)) index = Twin;
        ArrayPool<byte>.Shared.Return(buffer);
        return index;
    }

    private static int IndexOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        4 => name.SequenceEqual("type"u8) ? Type : name.SequenceEqual("data"u8) ? Data : Unknown,
        7 => name.SequenceEqual("payload"u8) ? Payload : Unknown,
        8 => name.SequenceEqual("dedup_id"u8) ? DedupId : Unknown,
        12 => name.SequenceEqual("ordering_key"u8) ? OrderingKey : Unknown,
        _ => Unknown,
    };
}
