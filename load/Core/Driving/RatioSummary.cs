namespace ZapierTriggers.Load.Core.Driving;

/// <summary>The middle and the spread of the ratios of several pairs of rounds.</summary>
/// <param name="Median">The middle value; the mean of the two middle ones if their number is even.</param>
/// <param name="Lowest">The smallest.</param>
/// <param name="Highest">The greatest.</param>
internal readonly record struct RatioSummary(double Median, double Lowest, double Highest)
{
    /// <summary>Sums up at least one ratio.</summary>
    public static RatioSummary Of(IEnumerable<double> ratios)
    {
        var sorted = ratios.Order().ToArray();
        var middle = sorted.Length / 2;
        return new RatioSummary(sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[0], sorted[^1]);
    }
}
