using System.Security.Cryptography;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.Core.CommandLine;

/// <summary>Options that all commands share which send events.</summary>
internal sealed class CommonOptions
{
    private readonly TimeSpan _timeout;
    private readonly int _threads;

    /// <summary>Reads them.</summary>
    /// <param name="arguments">What was typed.</param>
    /// <param name="dedup">Dedup ids without <c>--dedup</c>; null is none.</param>
    /// <param name="size">Bytes of a generated payload without <c>--size</c> and <c>--data</c>; null takes the file of real events.</param>
    public CommonOptions(Arguments arguments, DedupMode? dedup = null, int? size = null)
    {
        Key = arguments.Text("--key");
        AdminToken = arguments.Text("--admin-token");
        Seed = arguments.Count("--seed", 1);
        _threads = arguments.Count("--threads", 1);
        _timeout = TimeSpan.FromSeconds(arguments.Number("--timeout", 10));
        Dedup = arguments.Dedup("--dedup", dedup ?? DedupMode.None);
        Templates = ReadTemplates(arguments.Text("--data"), arguments.Text("--size") is null ? null : arguments.Count("--size", 1), size);
    }

    /// <summary>The key given, if any.</summary>
    public string? Key { get; }

    /// <summary>The admin token given, if any.</summary>
    public string? AdminToken { get; }

    /// <summary>The seed.</summary>
    public int Seed { get; }

    /// <summary>Dedup ids and duplicates.</summary>
    public DedupMode Dedup { get; }

    /// <summary>The events to send.</summary>
    public IReadOnlyList<EventTemplate> Templates { get; }

    /// <summary>A source under a name that no other run has.</summary>
    public EventSource CreateSource() => new(Templates, Dedup, Seed, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));

    /// <summary>The settings of a run.</summary>
    public LoadSettings CreateSettings(Uri server, string key, EventSource source, int connections) =>
        new() { Server = server, ApiKey = key, Source = source, Connections = connections, Threads = _threads, Timeout = _timeout };

    /// <summary>One line on what is sent.</summary>
    public string Describe(EventSource source) =>
        $"events    {Templates.Count} templates, payload {source.MeanPayloadLength:N0} bytes on average, "
        + (Dedup.HasIds ? $"dedup ids, {Dedup.DuplicateShare:P0} duplicates" : "no dedup ids");

    private IReadOnlyList<EventTemplate> ReadTemplates(string? data, int? size, int? defaultSize)
    {
        if (data is not null && size is not null) throw new UsageException("Give --data or --size, not both.");
        if ((data is null ? size ?? defaultSize : null) is { } bytes) return EventTemplates.Generate(bytes, Seed);
        if ((data ?? EventTemplates.FindShared()) is { } path) return EventTemplates.Load(path);

        const int DefaultSize = 400;
        Console.WriteLine($"note      shared/data/github-events.ndjson is not there: payloads of {DefaultSize} bytes are generated");
        return EventTemplates.Generate(DefaultSize, Seed);
    }
}
