using System.Globalization;
using ZapierTriggers.Load.Core.Figures;

namespace ZapierTriggers.Load.Core.Soak;

/// <summary>Whether a run that lasted got worse: memory's slope over its last three quarters, latency of its last quarter by its first.</summary>
/// <param name="Slope">Megabytes (2^20) an hour; null when memory is not known.</param>
/// <param name="Margin">Half the width of the slope's 95 % confidence interval.</param>
/// <param name="FirstP99">Milliseconds.</param>
/// <param name="LastP99">Milliseconds.</param>
internal sealed record SoakTrend(double? Slope, double Margin, double FirstP99, double LastP99)
{
    /// <summary>Memory may grow by so much an hour, even where it surely grows: what a heap moves by in an hour.</summary>
    public const double SlopeBar = 5;

    /// <summary>The last quarter's p99 may be so many times the first's.</summary>
    public const double LatencyBar = 1.2;

    /// <summary>An interval that reaches higher than this tells nothing: the run was too short, or memory moved too much.</summary>
    public const double CertainBar = 50;

    /// <summary>Whether the confidence interval holds zero.</summary>
    public bool MayBeFlat => Slope is { } slope && Math.Abs(slope) <= Margin;

    /// <summary>
    /// Whether memory does not grow: no more than the bar, or not surely, in an interval that is narrow enough to tell. Not known is not flat.
    /// </summary>
    public bool IsFlat => Slope is { } slope && slope + Margin <= CertainBar && (MayBeFlat || slope <= SlopeBar);

    /// <summary>Whether latency is the same at the end, or too small to matter (1 ms). Without answers in a quarter it is not.</summary>
    public bool IsSteady => FirstP99 > 0 && LastP99 > 0 && LastP99 <= Math.Max(1, FirstP99 * LatencyBar);

    /// <summary>Of the samples, and of the latencies by quarter.</summary>
    public static SoakTrend Of(IReadOnlyList<SoakSample> samples, SoakLatencies latencies, TimeSpan duration)
    {
        var late = samples.Where(sample => sample.Seconds >= duration.TotalSeconds / 4 && sample.ResidentBytes is not null);
        var points = late.Select(sample => (sample.Seconds / 3600, sample.ResidentBytes!.Value / (1 << 20))).ToList();
        var fit = LinearFit.SlopeWithMargin(points);
        return new SoakTrend(fit?.Slope, fit?.Margin ?? 0, latencies.P99Of(0), latencies.P99Of(3));
    }

    /// <summary>The slope in words.</summary>
    public string SlopeText() => Slope is not { } slope
        ? "memory is not known"
        : string.Create(
            CultureInfo.InvariantCulture, $"{slope:+0.00;-0.00} MB/h, 95 % interval {slope - Margin:F2} to {slope + Margin:F2}: ")
            + (MayBeFlat ? "contains zero" : "does not contain zero");

    /// <summary>The latencies in words.</summary>
    public string LatencyText() =>
        string.Create(CultureInfo.InvariantCulture, $"p99 {FirstP99:F2} ms in the first quarter, {LastP99:F2} ms in the last");
}
