using Npgsql;
using ZapierTriggers.Load.Core.Receiving;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>What a <see cref="Scene"/> is made of.</summary>
internal sealed record SceneSettings
{
    /// <summary>A journal of small files that are deleted at once when stored: it comes soon to where the next one is needed.</summary>
    public static readonly IReadOnlyDictionary<string, string> SmallJournal = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Journal__RingBytes"] = "1MiB",
        ["Journal__SegmentBytes"] = "1MiB",
        ["Journal__RetainFor"] = "0",
    };

    /// <summary>Where the server keeps its events.</summary>
    public required StoreKind Store { get; init; }

    /// <summary>Which failure an answer survives: <c>journaled</c>, <c>synced</c> or <c>stored</c>.</summary>
    public required string AckWhen { get; init; }

    /// <summary>Makes the events; printed when a test fails.</summary>
    public required int Seed { get; init; }

    /// <summary>Requests a second, whatever the server does meanwhile.</summary>
    public int EventsPerSecond { get; init; } = 4_000;

    /// <summary>Bytes of each event's payload.</summary>
    public int PayloadBytes { get; init; } = 400;

    /// <summary>A program and its arguments that the server is run by; empty = by itself.</summary>
    public IReadOnlyList<string> RunBy { get; init; } = [];

    /// <summary>Settings of the server, as environment variables.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How the receiver of the webhooks behaves.</summary>
    public ReceiverSettings Receiver { get; init; } = new();

    /// <summary>Where the data directory is made; null = a temporary folder.</summary>
    public string? Folder { get; init; }

    /// <summary>The tablespace that PostgreSQL puts tables into; null = its default.</summary>
    public string? Tablespace { get; init; }

    /// <summary>The server's connection string for a schema.</summary>
    public string ConnectionString(string schema) => Tablespace is null
        ? schema
        : new NpgsqlConnectionStringBuilder(schema) { Options = $"-c default_tablespace={Tablespace}" }.ConnectionString;
}

/// <summary>Where the server keeps its events.</summary>
public enum StoreKind
{
    /// <summary>Embedded, in the data directory.</summary>
    Sqlite,

    /// <summary>A PostgreSQL schema of the test's own.</summary>
    Postgres,
}
