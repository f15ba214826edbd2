using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>What a seed decides about a run: how the server is set up, what is sent to it, and which faults strike.</summary>
internal sealed record Scenario
{
    public required IngestOptions Ingest { get; init; }

    public required JournalOptions Journal { get; init; }

    public required DedupOptions Dedup { get; init; }

    /// <summary>Events that each producer sends.</summary>
    public required int EventsEach { get; init; }

    public required int Producers { get; init; }

    /// <summary>Different dedup ids.</summary>
    public required int DedupIds { get; init; }

    /// <summary>Whether some payloads are so large that the ring and the segments are gone through several times.</summary>
    public required bool HasLargePayloads { get; init; }

    /// <summary>Whether the power is cut when a process dies, or only the process.</summary>
    public required bool CutsPower { get; init; }

    /// <summary>Whether the store is set back to an older state between two lives.</summary>
    public required bool SetsBack { get; init; }

    /// <summary>Whether events are delivered to webhook receivers, too.</summary>
    public required bool HasWebhooks { get; init; }

    /// <summary>Whether some rows are refused by the store.</summary>
    public required bool HasRefusedRows { get; init; }

    /// <summary>Whether the disk is full now and then.</summary>
    public required bool IsDiskFullAtTimes { get; init; }

    /// <summary>Each fault of these strikes once in so many times.</summary>
    public required Dictionary<FaultKind, int> Faults { get; init; }

    /// <summary>The scenario of a seed.</summary>
    public static Scenario Of(Random random)
    {
        var faults = new Dictionary<FaultKind, int>();
        if (random.Next(4) == 0) faults[(FaultKind)random.Next(4)] = random.Next(10, 60);
        if (random.Next(3) == 0) faults[FaultKind.StoreAway] = random.Next(2, 30);
        if (random.Next(3) == 0) faults[FaultKind.ReplyLost] = random.Next(2, 30);
        return new Scenario
        {
            Ingest = new IngestOptions { AckWhen = (AckWhen)random.Next(3) },
            Journal = new JournalOptions
            {
                RingBytes = JournalOptions.MinRingBytes,
                SegmentBytes = JournalOptions.MinSegmentBytes,
                FlushInterval = TimeSpan.FromMilliseconds(random.Next(2) == 0 ? 1 : 50),
                MaxBytes = random.Next(3) == 0 ? JournalOptions.MinRingBytes : 1L << 30,
                RetainFor = TimeSpan.FromMinutes(10),
            },
            Dedup = new DedupOptions
            {
                MaxEntries = random.Next(3) switch { 0 => 4, 1 => 16, _ => 4096 },
                FilterBytes = random.Next(3) switch { 0 => 0, 1 => 64, _ => 1 << 20 },
            },
            EventsEach = random.Next(2, 12),
            Producers = random.Next(1, 4),
            DedupIds = random.Next(1, 20),
            HasLargePayloads = random.Next(3) == 0,
            CutsPower = random.Next(2) == 0,
            SetsBack = random.Next(5) == 0,
            HasWebhooks = random.Next(3) == 0,
            HasRefusedRows = random.Next(5) == 0,
            IsDiskFullAtTimes = random.Next(6) == 0,
            Faults = faults,
        };
    }
}
