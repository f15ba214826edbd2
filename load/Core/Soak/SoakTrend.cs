using System.Globalization;
using ZapierTriggers.Load.Core.Figures;

namespace ZapierTriggers.Load.Core.Soak;

/// <summary>
/// Whether a run that lasted got worse: the slope of memory over its last three quarters, without what is remembered of dedup ids, which
/// has a bound of its own; latency, and what is not delivered, of its last quarter by its first.
/// </summary>
/// <param name="Slope">Megabytes (2^20) an hour; null when memory is not known.</param>
/// <param name="Margin">Half the width of the slope's 95 % confidence interval.</param>
/// <param name="FirstP99">Milliseconds.</param>
/// <param name="LastP99">Milliseconds.</param>
/// <param name="FirstBehind">The most events accepted and not delivered in the first quarter.</param>
/// <param name="LastBehind">The same in the last.</param>
/// <param name="Rate">Events a second that were accepted.</param>
internal sealed record SoakTrend(
    double? Slope, double Margin, double FirstP99, double LastP99, long FirstBehind, long LastBehind, double Rate)
{
    /// <summary>Memory may grow by so much an hour, even where it surely grows: what a heap moves by in an hour.</summary>
    public const double SlopeBar = 5;

    /// <summary>The last quarter's p99 may be so many times the first's.</summary>
    public const double LatencyBar = 1.2;

    /// <summary>Deliveries may be so many seconds behind at the end, or so many times what they were behind at the beginning.</summary>
    public const double BehindSeconds = 5, BehindBar = 1.5;

    /// <summary>An interval that reaches higher than this tells nothing: the run was too short, or memory moved too much.</summary>
    public const double CertainBar = 50;

    /// <summary>Whether the confidence interval holds zero.</summary>
    public bool MayBeFlat => Slope is { } slope && Math.Abs(slope) <= Margin;

    /// <summary>
    /// Whether memory does not grow: no more than the bar, or not surely, in an interval that is narrow enough to tell. Not known is not
    /// flat.
    /// </summary>
    public bool IsFlat => Slope is { } slope && slope + Margin <= CertainBar && (MayBeFlat || slope <= SlopeBar);

    /// <summary>Whether latency is the same at the end, or too small to matter (1 ms). Without answers in a quarter it is not.</summary>
    public bool IsSteady => FirstP99 > 0 && LastP99 > 0 && LastP99 <= Math.Max(1, FirstP99 * LatencyBar);

    /// <summary>Whether deliveries keep up: what is accepted and not delivered does not grow.</summary>
    public bool KeepsUp => LastBehind <= Math.Max(Rate * BehindSeconds, FirstBehind * BehindBar);

    /// <summary>Of the samples, and of the latencies by quarter.</summary>
    public static SoakTrend Of(IReadOnlyList<SoakSample> samples, SoakLatencies latencies, TimeSpan duration)
    {
        var late = samples.Where(sample => sample.Seconds >= duration.TotalSeconds / 4 && sample.OtherBytes is not null);
        var points = late.Select(sample => (sample.Seconds / 3600, sample.OtherBytes!.Value / (1 << 20))).ToList();
        var fit = LinearFit.SlopeWithMargin(points);
        var rate = samples.Count > 0 ? samples[^1].Accepted / samples[^1].Seconds : 0;
        return new SoakTrend(fit?.Slope, fit?.Margin ?? 0, latencies.P99Of(0), latencies.P99Of(3), Behind(0), Behind(3), rate);

        long Behind(int quarter) => samples
            .Where(sample => Math.Min(3, (int)(sample.Seconds / duration.TotalSeconds * 4)) == quarter)
            .Select(sample => sample.Accepted - sample.Delivered)
            .DefaultIfEmpty().Max();
    }

    /// <summary>The slope in words.</summary>
    public string SlopeText() => Slope is not { } slope
        ? "memory is not known"
        : string.Create(
            CultureInfo.InvariantCulture, $"{slope:+0.00;-0.00} MB/h, 95 % interval {slope - Margin:F2} to {slope + Margin:F2}: ")
            + (MayBeFlat ? "contains zero" : "does not contain zero");

    /// <summary>What is not delivered, in words.</summary>
    public string BehindText() => string.Create(
        CultureInfo.InvariantCulture,
        $"at most {FirstBehind:N0} accepted and not delivered in the first quarter, {LastBehind:N0} in the last");

    /// <summary>The latencies in words.</summary>
    public string LatencyText() =>
        string.Create(CultureInfo.InvariantCulture, $"p99 {FirstP99:F2} ms in the first quarter, {LastP99:F2} ms in the last");
}
