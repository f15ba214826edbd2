using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Operations;

/// <summary>Which figures <c>/metrics</c> shows, and where each comes from.</summary>
internal static class ServerFigures
{
    /// <summary>Adds all figures. The shard is there only after the journal is replayed; until then its figures are 0.</summary>
    public static void Add(
        ServerMeter meter, Func<Shard?> shardNow, Dispatcher dispatcher, Readiness readiness, string directory, TimeProvider time)
    {
        meter.Gauge(
            "zapier_ready", "1 when events can be taken, 0 when not: GET /health/ready says why.", () => readiness.Read().Ready ? 1 : 0);
        meter.Counter("zapier_events_accepted", "Events answered 202 or taken in a batch.", () => shardNow()?.Sequencer.Accepted ?? 0);
        meter.Counter("zapier_events_stored", "Events committed in the database.", () => shardNow()?.Writer.StoredEvents ?? 0);
        meter.Counter(
            "zapier_events_set_aside", "Events that could not be stored and are in quarantine, or whose journal frame was damaged.",
            () => shardNow() is { } s ? s.Writer.SetAside + s.Journal.SetAside : 0);
        meter.Counters(
            "zapier_events_refused", "Requests that were answered with a problem, by its code.", "reason",
            [.. Problem.All.Select(problem => (problem.Code, (Func<long>)(() => problem.Answered)))]);
        meter.Gauge("zapier_journal_backlog_events", "Accepted events that are not stored yet.", () => shardNow()?.Bound.Events ?? 0);
        meter.Gauge(
            "zapier_journal_backlog_bytes", "Bytes of accepted events that are not stored yet.", () => shardNow()?.Bound.Bytes ?? 0);
        meter.Gauge(
            "zapier_journal_limit_bytes", "Backlog at which events are refused until half of it is stored.",
            () => shardNow()?.Bound.MaxBytes ?? 0);
        meter.Gauge(
            "zapier_journal_oldest_unstored_seconds", "Age of the oldest accepted event that is not stored yet.",
            () => OldestSeconds(shardNow(), time));
        meter.Gauge("zapier_data_free_bytes", "Free space on the disk of the data directory.", () => FreeBytes(directory));
        meter.Gauge(
            "zapier_journal_unsynced_bytes", "Bytes in the journal that no flush has covered yet.",
            () => shardNow()?.Journal.UnsyncedBytes ?? 0);
        meter.Gauge("zapier_journal_segments", "Segment files on disk.", () => shardNow()?.Journal.Segments ?? 0);
        meter.Counter("zapier_journal_flushes", "Flushes to disk.", () => shardNow()?.Journal.Flushes ?? 0);
        meter.Counter(
            "zapier_journal_gaps", "Breaks in the journal's sequence: accepted events are missing.", () => shardNow()?.Journal.Gaps ?? 0);
        meter.Gauge("zapier_dedup_entries", "Dedup ids held in memory.", () => shardNow()?.Dedup.Count ?? 0);
        meter.Gauge(
            "zapier_dedup_coverage_seconds", "How far back every accepted dedup id is in memory.",
            () => Seconds(shardNow()?.Dedup.CoveredSinceMs, time));
        meter.Gauge(
            "zapier_dedup_known_seconds",
            "How far back every accepted dedup id is in memory or in a filter; for older ones the store is asked.",
            () => Seconds(shardNow()?.Dedup.KnownSinceMs, time));
        meter.Gauge("zapier_dedup_bytes", "Memory that they take.", () => shardNow()?.Dedup.Bytes ?? 0);
        meter.Counter("zapier_webhooks_delivered", "Webhooks answered with 2xx.", () => dispatcher.Counters.Delivered);
        meter.Counter("zapier_webhooks_failed", "Webhook tries that failed.", () => dispatcher.Counters.FailedAttempts);
        meter.Counter("zapier_webhooks_dead_letters", "Events given up for an endpoint.", () => dispatcher.Counters.DeadLetters);
        meter.Gauges("zapier_webhooks_endpoints", "Endpoints by how they are.", "state", [.. Enum.GetValues<EndpointState>().Select(
            state => (EndpointStates.NameOf(state), (Func<long>)(() => dispatcher.CountEndpoints(state))))]);
        meter.Gauge("zapier_webhooks_in_flight", "Webhook tries in flight.", () => dispatcher.InFlight);
        meter.Time(
            "zapier_gc_longest_pause",
            "Longest pause of the garbage collector since the start, of those that were seen: each collection is looked at when it is over, one that is followed at once by another may be missed.",
            () => GcPauses.Longest);
        meter.Gauge("zapier_webhooks_unrecorded", "Webhook results that are not in the database yet.", () => dispatcher.Unrecorded);
    }

    /// <summary>Adds what retention removes, and the ledger.</summary>
    public static void AddData(ServerMeter meter, Retention retention, LedgerFigures ledger)
    {
        meter.Gauges("zapier_ledger_events", "Where accepted events are, over all organizations as the database has them: accepted is the sum of the others.", "state", ledger.Read);
        meter.Gauge("zapier_ledger_age_seconds", "How old these figures are: rows are counted at most every 15 s, a two-hundredth of the time, and only when figures are asked for.", () => ledger.AgeSeconds);
        meter.Counter("zapier_events_expired", "Events removed because their tier keeps them no longer.", () => retention.Events);
        meter.Counter(
            "zapier_webhooks_expired", "Webhooks dropped before they were delivered, since their event expired.", () => retention.Webhooks);
    }

    private static long OldestSeconds(Shard? shard, TimeProvider time) =>
        shard?.Writer.StoringSince is { } since and > 0 ? Math.Max(0, (time.GetUtcNow().ToUnixTimeMilliseconds() - since) / 1000) : 0;

    /// <summary>0 where the disk cannot be asked.</summary>
    private static long FreeBytes(string directory)
    {
        try
        {
            return new DriveInfo(directory).AvailableFreeSpace;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return 0;
        }
    }

    private static long Seconds(long? sinceMs, TimeProvider time) =>
        sinceMs is { } since ? Math.Clamp((time.GetUtcNow().ToUnixTimeMilliseconds() - since) / 1000, 0, DedupWindow.LengthMs / 1000) : 0;
}
