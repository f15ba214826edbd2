using HdrHistogram;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>The sums of a run, or of a run so far.</summary>
/// <param name="Elapsed">From the start to now, or to the last answer.</param>
/// <param name="Sent">Requests sent.</param>
/// <param name="Statuses">Answers by status; index 0 counts requests without an answer.</param>
/// <param name="Backlog">Requests due and not sent.</param>
/// <param name="Busy">The share of time that the busiest thread of the generator worked; near 1 it was the bottleneck.</param>
/// <param name="Latency">Microseconds from the intended time to the answer.</param>
/// <param name="Lag">Microseconds that the generator itself was late.</param>
internal sealed record LoadResult(
    TimeSpan Elapsed, long Sent, long[] Statuses, long Backlog, double Busy, HistogramBase Latency, HistogramBase Lag)
{
    // A lag this small disturbs nothing that a network would not, whatever the latency.
    private const double HarmlessLagMilliseconds = 1;
    private const double SaturatedShare = 0.95;

    /// <summary>Requests answered.</summary>
    public long Answered => Statuses.Sum() - Statuses[0];

    /// <summary>Requests sent whose answer did not come.</summary>
    public long Unanswered => Statuses[0];

    /// <summary>Requests accepted (202).</summary>
    public long Accepted => Statuses[202];

    /// <summary>Answers per second.</summary>
    public double Rate => Elapsed > TimeSpan.Zero ? Answered / Elapsed.TotalSeconds : 0;

    /// <summary>Why an open run measures the generator and not the server; null if it does not.</summary>
    public string? VoidReason =>
        Busy > SaturatedShare ? $"the generator was busy {Busy:P0} of the time"
        : Milliseconds(Lag, 99) > Math.Max(HarmlessLagMilliseconds, Milliseconds(Latency, 99) / 10)
            ? $"the generator's own lag (p99 {Milliseconds(Lag, 99):F2} ms) is over 1 ms and over a tenth of the latency's p99"
        : null;

    /// <summary>A percentile in milliseconds; 0 if nothing was recorded.</summary>
    public static double Milliseconds(HistogramBase histogram, double percentile) =>
        histogram.TotalCount == 0 ? 0 : histogram.GetValueAtPercentile(percentile) / 1000.0;

    /// <summary>Adds up tallies.</summary>
    public static LoadResult Sum(IReadOnlyList<Tally> tallies, TimeSpan elapsed)
    {
        var statuses = new long[tallies[0].Statuses.Length];
        var latency = tallies[0].Latency.Copy();
        var lag = tallies[0].Lag.Copy();
        for (var i = 0; i < tallies.Count; i++)
        {
            for (var status = 0; status < statuses.Length; status++) statuses[status] += tallies[i].Statuses[status];
            if (i == 0) continue;
            latency.Add(tallies[i].Latency);
            lag.Add(tallies[i].Lag);
        }

        var busy = elapsed > TimeSpan.Zero ? tallies.Max(tally => 1 - tally.Waited / elapsed.TotalNanoseconds) : 0;
        var (sent, backlog) = (tallies.Sum(tally => tally.Sent), tallies.Sum(tally => tally.Backlog));
        return new LoadResult(elapsed, sent, statuses, backlog, Math.Max(0, busy), latency, lag);
    }
}
