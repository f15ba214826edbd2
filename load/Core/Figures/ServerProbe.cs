using System.Text.Json;

namespace ZapierTriggers.Load.Core.Figures;

/// <summary>What a server's process has used since its start; a figure that it does not export is null.</summary>
/// <param name="AllocatedBytes">Bytes allocated on the managed heap.</param>
/// <param name="GcPauseSeconds">Time for which the collector stopped the process.</param>
internal readonly record struct ProcessFigures(double? AllocatedBytes, double? GcPauseSeconds);

/// <summary>Asks a server for its own figures. All of them are optional: another server may have none.</summary>
/// <param name="client">A client whose base address is the server.</param>
internal sealed class ServerProbe(HttpClient client)
{
    // System.Runtime's meter as OpenTelemetry's Prometheus exporter names it.
    private const string Allocated = "dotnet_gc_heap_total_allocated_bytes_total";
    private const string Paused = "dotnet_gc_pause_time_seconds_total";
    private const string Backlog = "zapier_journal_backlog_events";

    /// <summary>The process's figures from <c>/metrics</c>.</summary>
    public async Task<ProcessFigures> ReadProcessAsync(CancellationToken cancellationToken)
    {
        if (await ReadFiguresAsync(cancellationToken) is not { } figures) return default;
        return new ProcessFigures(Of(figures, Allocated), Of(figures, Paused));
    }

    /// <summary>All figures of <c>/metrics</c> by name, summed over their labels; null if the server has none.</summary>
    public async Task<Dictionary<string, double>?> ReadFiguresAsync(CancellationToken cancellationToken) =>
        await GetAsync("/metrics", cancellationToken) is { } text ? PrometheusText.Parse(text) : null;

    /// <summary>
    /// Events accepted and not stored yet, from <c>/health/detailed</c>: cheaper than a scrape, so that it can be asked many times
    /// a second without disturbing what is measured. Null if the server has no such figure.
    /// </summary>
    public async Task<long?> ReadBacklogAsync(CancellationToken cancellationToken)
    {
        if (await GetAsync("/health/detailed", cancellationToken) is not { } text) return null;
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.TryGetProperty("figures", out var figures) && figures.TryGetProperty(Backlog, out var backlog)
                ? backlog.GetInt64()
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null; // Another server's answer under the same path.
        }
    }

    // A server that is not ready answers 503 with its figures all the same.
    private async Task<string?> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var answer = await client.GetAsync(path, cancellationToken);
        return answer.StatusCode is System.Net.HttpStatusCode.OK or System.Net.HttpStatusCode.ServiceUnavailable
            ? await answer.Content.ReadAsStringAsync(cancellationToken)
            : null;
    }

    private static double? Of(Dictionary<string, double> figures, string name) =>
        figures.TryGetValue(name, out var value) ? value : null;
}
