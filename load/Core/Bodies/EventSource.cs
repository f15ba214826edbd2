using System.IO.Hashing;
using System.Text;
using System.Text.Json;

namespace ZapierTriggers.Load.Core.Bodies;

/// <summary>
/// Which event the n-th request carries. Requests are numbered from 0; the <em>content</em> of a request is its own number, or for a
/// duplicate the number of the earlier request that it repeats byte for byte. Everything is a pure function of the number, so what was
/// sent can be told afterwards without having been kept. Each payload starts with a stamp, <c>{"load_id":"run-content",</c>, by which a
/// stored or delivered event is recognized.
/// </summary>
internal sealed class EventSource
{
    /// <summary>How far back a duplicate reaches at most, in requests.</summary>
    public const int DuplicateReach = 1000;

    private readonly IReadOnlyList<EventTemplate> _templates;
    private readonly byte[][] _stamped;
    private readonly ulong _duplicateThreshold;
    private readonly int _seed;
    private readonly Stamp _stamp;

    /// <summary>Creates a source.</summary>
    /// <param name="templates">The events to go through in turn.</param>
    /// <param name="dedup">Whether there are dedup ids and duplicates.</param>
    /// <param name="seed">Decides which requests are duplicates, and of which.</param>
    /// <param name="run">8 characters that tell this run's events from those of other runs.</param>
    public EventSource(IReadOnlyList<EventTemplate> templates, DedupMode dedup, int seed, string run)
    {
        _templates = templates;
        _seed = seed;
        _stamp = new Stamp(run);
        _duplicateThreshold = (ulong)(dedup.DuplicateShare * ulong.MaxValue);
        _stamped = [.. templates.Select(template => _stamp.AddTo(template.Payload))];
        Dedup = dedup;
    }

    /// <summary>Whether there are dedup ids and duplicates.</summary>
    public DedupMode Dedup { get; }

    /// <summary>Mean bytes of a payload, stamp included.</summary>
    public int MeanPayloadLength => (int)_stamped.Average(payload => payload.Length);

    /// <summary>The content of request <paramref name="number"/>: the number itself, or that of the request it repeats.</summary>
    public long ContentOf(long number)
    {
        while (_duplicateThreshold > 0 && number > 0)
        {
            var draw = XxHash3.HashToUInt64(BitConverter.GetBytes(number), _seed);
            if (draw > _duplicateThreshold) return number;
            var reach = Math.Min(number, DuplicateReach);
            number -= 1 + (long)(XxHash3.HashToUInt64(BitConverter.GetBytes(number), ~_seed) % (ulong)reach);
        }

        return number;
    }

    /// <summary>The dedup id of a content, or null without dedup ids.</summary>
    public string? DedupIdOf(long content) => Dedup.HasIds ? _stamp.Text(content) : null;

    /// <summary>Finds the content of a payload of this run.</summary>
    public bool TryFindContent(ReadOnlySpan<byte> payload, out long content) => _stamp.TryRead(payload, out content);

    /// <summary>The exact bytes of a content's payload.</summary>
    public byte[] PayloadOf(long content)
    {
        var payload = (byte[])_stamped[TemplateOf(content)].Clone();
        _stamp.Write(content, payload.AsSpan(Stamp.PayloadOffset));
        return payload;
    }

    /// <summary>Whether these are the exact bytes of a content's payload.</summary>
    public bool PayloadEquals(long content, ReadOnlySpan<byte> payload)
    {
        // The template holds the stamp of content 0; where the stamps stand is compared by reading it.
        var template = _stamped[TemplateOf(content)].AsSpan();
        return payload.Length == template.Length
            && _stamp.TryRead(payload, out var found) && found == content
            && payload[Stamp.PayloadEnd..].SequenceEqual(template[Stamp.PayloadEnd..]);
    }

    /// <summary>XxHash3 of a content's payload bytes.</summary>
    public ulong PayloadHashOf(long content) => XxHash3.HashToUInt64(PayloadOf(content));

    /// <summary>An encoder of its own for each sending thread.</summary>
    public RequestEncoder CreateEncoder(Uri server, string? apiKey) =>
        CreateEncoder((body, _) => RequestEncoder.Build(server, apiKey, body));

    /// <summary>An encoder of other requests with the same bodies.</summary>
    /// <param name="frame">Gives a request's bytes for the body of content 0 and its dedup id; null without dedup ids.</param>
    public RequestEncoder CreateEncoder(Func<byte[], string?, byte[]> frame) =>
        new(
            [.. _templates.Select((template, index) => frame(BuildBody(template.Type, _stamped[index], content: 0), DedupIdOf(0)))],
            _stamp);

    /// <summary>The exact bytes of a content's body; for callers on any thread, where an encoder is for one.</summary>
    public byte[] BodyOf(long content) => BuildBody(_templates[TemplateOf(content)].Type, PayloadOf(content), content);

    private int TemplateOf(long content) => (int)(content % _templates.Count);

    private byte[] BuildBody(string type, byte[] payload, long content)
    {
        var dedup = Dedup.HasIds ? $"\"dedup_id\":\"{_stamp.Text(content)}\"," : "";
        var end = $",\"type\":\"{JsonEncodedText.Encode(type)}\"}}";
        return [.. "{"u8, .. Encoding.UTF8.GetBytes(dedup), .. "\"payload\":"u8, .. payload, .. Encoding.UTF8.GetBytes(end)];
    }
}
