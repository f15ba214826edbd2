using System.Text;
using CsCheck;

namespace ZapierTriggers.Tests.Unit.Events;

/// <summary>Generators of JSON text: valid, nearly valid, and event bodies of both kinds.</summary>
internal static class JsonGen
{
    private static readonly Gen<string> Space = Gen.Frequency((8, Gen.Const("")), (2, Gen.OneOf(" ", "\n", "\t\r\n", "\n      ")));

    private static readonly Gen<string> Characters = Gen.Frequency(
        (12, Gen.Char['a', 'z'].Select(c => c.ToString())),
        (2, Gen.OneOf("é", "\u0085", "\u00A0", "中", "😀", "\u007F", "/", "'", "\uFEFF")),
        (2, Gen.OneOf("\\n", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r", "\\t", "\\u0041", "\\u00e9", "\\u4E2d", "\\ud83d\\ude00")),
        (1, Gen.OneOf("\\u0000", "\\u001f", "\\u0085", "\\u009f", "\\u00a0")));

    /// <summary>A string with its quotes, short as a rule, sometimes around the limits of a field and of the vector widths.</summary>
    public static readonly Gen<string> Text = Gen
        .Frequency((20, Gen.Int[0, 12]), (4, Gen.Int[13, 70]), (1, Gen.Int[250, 260]))
        .SelectMany(length => Characters.Array[length])
        .Select(parts => $"\"{string.Concat(parts)}\"");

    private static readonly Gen<string> Number = Gen.OneOf(
        Gen.Int.Select(n => n.ToString()),
        Gen.OneOf("0", "-0", "0.0", "1e999", "-1.25E-7", "123456789012345678901234567890", "9e+0", "10.50"));

    private static readonly Gen<string> Scalar = Gen.Frequency(
        (4, Text), (3, Number), (1, Gen.OneOf("true", "false", "null")));

    private static readonly Gen<string> Name = Gen.Frequency(
        (4, Gen.OneOf("\"a\"", "\"b\"", "\"c\"", "\"\"", "\"A\"", "\"\\u0061\"", "\"Type\"")),
        (1, Text));

    /// <summary>Any valid value.</summary>
    public static readonly Gen<string> Value = Gen.Recursive<string>((depth, inner) => depth > 4 ? Scalar : Gen.Frequency(
        (3, Scalar),
        (1, inner.Array[0, 4].Select(Space, (items, s) => $"[{s}{string.Join($"{s},{s}", items)}{s}]")),
        (2, Members(Name, inner))));

    private static readonly Gen<string> KnownName = Gen.Frequency(
        (8, Gen.OneOf("\"type\"", "\"payload\"", "\"data\"", "\"dedup_id\"", "\"ordering_key\"")),
        (1, Gen.OneOf("\"t\\u0079pe\"", "\"p\\u0061yload\"", "\"dedup\\u005fid\"", "\"types\"", "\"payloae\"")),
        (1, Name));

    /// <summary>An event as a client means it, with members in any order and more or fewer than there should be.</summary>
    public static readonly Gen<string> Event = Gen.OneOf(
        Gen.Select(Text, Members(Name, Value), Text, Gen.OneOf(Text, Gen.Const("null")), Space, Name)
            .SelectMany((type, payload, dedupId, orderingKey, s, name) => Gen.Shuffle(new[]
            {
                $"\"type\":{s}{type}", $"{s}\"payload\"{s}:{payload}{s}", $"\"dedup_id\":{dedupId}",
                $"\"ordering_key\":{orderingKey}", $"{name}:{payload}",
            }))
            .Select(Space, (members, s) => $"{s}{{{string.Join(',', members)}}}{s}"),
        Members(KnownName, Value));

    /// <summary>A text with a few bytes changed, added, doubled or taken away, most of them with meaning in JSON.</summary>
    public static Gen<byte[]> Mutated(Gen<string> text) => Gen.Select(text, Mutation.Array[1, 3])
        .Select((source, mutations) => mutations.Aggregate(Encoding.UTF8.GetBytes(source), Mutate));

    private static readonly Gen<(int Kind, double Place, byte[] Bytes)> Mutation = Gen.Select(
        Gen.Int[0, 3],
        Gen.Double.Unit,
        Gen.Frequency(
            (6, Gen
                .OneOf(
                    "{", "}", "[", "]", ",", ":", "\"", "\\", "0", "-", ".", "e", "u", " ", "\0", "/", "1", "+", "t", "\\ud800", "\\udc00")
                .Select(Encoding.UTF8.GetBytes)),
            (1, Gen.Byte.Array[1])));

    private static byte[] Mutate(byte[] source, (int Kind, double Place, byte[] Bytes) mutation)
    {
        var at = (int)(mutation.Place * source.Length);
        var rest = source[Math.Min(source.Length, at + 1)..];
        return mutation.Kind switch
        {
            0 => [.. source[..at], .. mutation.Bytes, .. rest],
            1 => [.. source[..at], .. mutation.Bytes, .. source[at..]],
            2 => [.. source[..at], .. rest],
            _ => [.. source[..at], .. source[(at / 2)..at], .. source[at..]],
        };
    }

    private static Gen<string> Members(Gen<string> name, Gen<string> value) =>
        Gen.Select(Gen.Select(name, value).Array[0, 5], Space)
            .Select((members, s) => $"{{{s}{string.Join($"{s},{s}", members.Select(m => $"{m.Item1}{s}:{s}{m.Item2}"))}{s}}}");
}
