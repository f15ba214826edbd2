using System.Diagnostics.Metrics;

namespace ZapierTriggers.Core.Operations;

/// <summary>
/// How long the steps behind an answer take. Each is recorded once a batch, a flush or a webhook, never on the way of a request. Costs
/// nothing while nobody listens. Safe from any thread.
/// </summary>
internal static class Timings
{
    /// <summary>Name of the meter, for exporters.</summary>
    public const string MeterName = "ZapierTriggers.Timings";

    // Seconds: from what memory and a local disk take to a stored backlog, in steps of 1, 2.5 and 5.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    };

    private static readonly InstrumentAdvice<int> Counts = new()
    {
        HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1024, 4096, 16_384],
    };

    private static readonly Meter Meter = new(MeterName);

    /// <summary>Events in a transaction of the store writer.</summary>
    public static Histogram<int> StoreBatch { get; } = Meter.CreateHistogram(
        "zapier_store_batch_events", unit: null, "Events committed by one transaction.", tags: null, Counts);

    /// <summary>Seconds that such a transaction took, the tries that failed not counted.</summary>
    public static Histogram<double> StoreCommit { get; } = Meter.CreateHistogram(
        "zapier_store_commit", "s", "Time of a transaction that committed events.", tags: null, Seconds);

    /// <summary>Seconds from acceptance to commit, of the oldest event of each transaction.</summary>
    public static Histogram<double> StoreLag { get; } = Meter.CreateHistogram(
        "zapier_store_lag", "s", "From acceptance to commit, the oldest event of each transaction.", tags: null, Seconds);

    /// <summary>Seconds that a flush of the journal took (write and fdatasync).</summary>
    public static Histogram<double> JournalFlush { get; } = Meter.CreateHistogram(
        "zapier_journal_flush", "s", "Time to write a group of events to the journal's file and flush it.", tags: null, Seconds);

    /// <summary>Seconds from the start of a webhook's try to the end of its answer or failure.</summary>
    public static Histogram<double> WebhookTry { get; } = Meter.CreateHistogram(
        "zapier_webhook_try", "s", "Time of a webhook's try, failed ones too.", tags: null, Seconds);

    /// <summary>Seconds from acceptance to the receiver's 2xx, of webhooks that were delivered by their first try.</summary>
    public static Histogram<double> WebhookLag { get; } = Meter.CreateHistogram(
        "zapier_webhook_lag", "s", "From acceptance to the receiver's 2xx, of webhooks delivered by their first try.", tags: null, Seconds);
}
