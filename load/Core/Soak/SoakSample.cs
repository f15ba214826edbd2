using System.Globalization;
using System.Text.Json;
using ZapierTriggers.Load.Core.Figures;

namespace ZapierTriggers.Load.Core.Soak;

/// <summary>How a server is doing at one moment of a run that lasts. What it does not tell is null.</summary>
/// <param name="Seconds">From the start of the run.</param>
/// <param name="Accepted">Events accepted so far.</param>
/// <param name="Rate">Accepted a second since the sample before.</param>
/// <param name="P50">The middle latency since the sample before, milliseconds.</param>
/// <param name="P99">Its 99th percentile.</param>
/// <param name="ResidentBytes">The server's resident memory; without mapped files when its process id is known.</param>
/// <param name="HeapBytes">Its managed heap after the last collection.</param>
/// <param name="Collections">Garbage collections since its start.</param>
/// <param name="PauseSeconds">Time for which they stopped it since its start.</param>
/// <param name="Backlog">Events accepted and not stored.</param>
/// <param name="Delivered">Different events that reached the receiver.</param>
/// <param name="OwnBytes">The generator's own memory.</param>
internal sealed record SoakSample(
    double Seconds, long Accepted, double Rate, double P50, double P99, double? ResidentBytes, double? HeapBytes, double? Collections,
    double? PauseSeconds, double? Backlog, long Delivered, long OwnBytes)
{
    // System.Runtime's meter as OpenTelemetry's Prometheus exporter names it.
    private const string WorkingSet = "dotnet_process_memory_working_set_bytes";
    private const string Heap = "dotnet_gc_last_collection_heap_size_bytes";
    private const string CollectionsTotal = "dotnet_gc_collections_total";
    private const string Paused = "dotnet_gc_pause_time_seconds_total";
    private const string BacklogEvents = "zapier_journal_backlog_events";
    private const string Dedup = "zapier_dedup_bytes";

    /// <summary>What it remembers of dedup ids, bytes: it grows until its settings' bound is reached, which may take longer than the run.</summary>
    public double? DedupBytes { get; init; }

    /// <summary>The server's resident memory without that.</summary>
    public double? OtherBytes => ResidentBytes - (DedupBytes ?? 0);

    /// <summary>The head of the table of <see cref="Line"/>.</summary>
    public const string Head =
        "  seconds     accepted      /s    p50 ms    p99 ms   RSS MiB  heap MiB     GCs  GC s   backlog    delivered  own MiB";

    /// <summary>A sample with the server's figures.</summary>
    /// <param name="figures">Of <c>/metrics</c>; null if it has none.</param>
    /// <param name="serverId">The server's process id, if it is known.</param>
    /// <param name="sample">The rest.</param>
    public static SoakSample With(Dictionary<string, double>? figures, int? serverId, SoakSample sample) => sample with
    {
        ResidentBytes = serverId is { } id && ProcessMemory.Read(id).Own is var own and > 0 ? own : Of(figures, WorkingSet),
        HeapBytes = Of(figures, Heap),
        Collections = Of(figures, CollectionsTotal),
        PauseSeconds = Of(figures, Paused),
        Backlog = Of(figures, BacklogEvents),
        DedupBytes = Of(figures, Dedup),
    };

    /// <summary>A line of the table.</summary>
    public string Line() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Seconds,9:F0} {Accepted,12:N0} {Rate,7:N0} {P50,9:F2} {P99,9:F2} {Megabytes(ResidentBytes),9:F1} {Megabytes(HeapBytes),9:F1} ")
        + string.Create(
            CultureInfo.InvariantCulture,
            $"{Collections,7:F0} {PauseSeconds,5:F2} {Backlog,9:N0} {Delivered,12:N0} {OwnBytes / 1048576.0,8:F1}");

    /// <summary>The same as a line of NDJSON.</summary>
    public string Json() => JsonSerializer.Serialize(new
    {
        kind = "sample",
        seconds = Math.Round(Seconds, 3),
        accepted = Accepted,
        rate = Math.Round(Rate, 1),
        p50_ms = P50,
        p99_ms = P99,
        rss_bytes = ResidentBytes,
        heap_bytes = HeapBytes,
        dedup_bytes = DedupBytes,
        gc_collections = Collections,
        gc_pause_seconds = PauseSeconds,
        backlog = Backlog,
        delivered = Delivered,
        generator_bytes = OwnBytes,
    });

    private static double? Megabytes(double? bytes) => bytes / (1 << 20);

    private static double? Of(Dictionary<string, double>? figures, string name) =>
        figures is not null && figures.TryGetValue(name, out var value) ? value : null;
}
