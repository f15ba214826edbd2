namespace ZapierTriggers.Load.Core.Driving;

/// <summary>Percentiles of latencies, in milliseconds.</summary>
/// <param name="Count">How many.</param>
/// <param name="P50">The middle.</param>
/// <param name="P95">The 95th percentile.</param>
/// <param name="P99">The 99th percentile.</param>
internal readonly record struct LatencySummary(int Count, double P50, double P95, double P99)
{
    /// <summary>Sums up at least one latency; a percentile is the smallest value that is not below so many of a hundred.</summary>
    public static LatencySummary Of(IEnumerable<TimeSpan> latencies)
    {
        var sorted = latencies.Select(latency => latency.TotalMilliseconds).Order().ToArray();
        return new LatencySummary(sorted.Length, At(50), At(95), At(99));

        double At(int percentile) => sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * percentile / 100.0) - 1)];
    }
}
