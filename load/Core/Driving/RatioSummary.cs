using System.Globalization;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>The middle and the spread of the ratios of several pairs of rounds.</summary>
/// <param name="Median">The middle value; the mean of the two middle ones if their number is even.</param>
/// <param name="Lowest">The smallest.</param>
/// <param name="Highest">The greatest.</param>
internal readonly record struct RatioSummary(double Median, double Lowest, double Highest)
{
    /// <summary>The middle, and the spread in brackets.</summary>
    /// <param name="decimals">Digits behind the point.</param>
    /// <param name="unit">What each is divided by.</param>
    public string Text(int decimals = 3, double unit = 1)
    {
        return $"{In(Median)} ({In(Lowest)} to {In(Highest)})";

        string In(double value) => (value / unit).ToString($"F{decimals}", CultureInfo.InvariantCulture);
    }

    /// <summary>Sums up at least one ratio.</summary>
    public static RatioSummary Of(IEnumerable<double> ratios)
    {
        var sorted = ratios.Order().ToArray();
        var middle = sorted.Length / 2;
        return new RatioSummary(sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[0], sorted[^1]);
    }
}
