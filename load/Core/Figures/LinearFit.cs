namespace ZapierTriggers.Load.Core.Figures;

/// <summary>A straight line through points, by least squares.</summary>
internal static class LinearFit
{
    /// <summary>The line's slope, in units of y per unit of x; null with fewer than two different x.</summary>
    public static double? Slope(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count < 2) return null;
        var (meanX, meanY) = (points.Average(point => point.X), points.Average(point => point.Y));
        var spread = points.Sum(point => (point.X - meanX) * (point.X - meanX));
        return spread == 0 ? null : points.Sum(point => (point.X - meanX) * (point.Y - meanY)) / spread;
    }

    /// <summary>
    /// The slope and half the width of its 95 % confidence interval, which counts the points as independent; null with fewer than three
    /// points or two different x.
    /// </summary>
    public static (double Slope, double Margin)? SlopeWithMargin(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count < 3 || Slope(points) is not { } slope) return null;
        var (meanX, meanY) = (points.Average(point => point.X), points.Average(point => point.Y));
        var spread = points.Sum(point => (point.X - meanX) * (point.X - meanX));
        var rest = points.Sum(point => Math.Pow(point.Y - meanY - slope * (point.X - meanX), 2));
        var freedom = points.Count - 2;
        return (slope, Quantile(freedom) * Math.Sqrt(rest / freedom / spread));
    }

    // Student's t at 97.5 %, to 1 % from 5 degrees of freedom on (Cornish-Fisher expansion; Abramowitz and Stegun 26.7.5).
    private static double Quantile(int freedom)
    {
        const double Z = 1.959964;
        var first = (Math.Pow(Z, 3) + Z) / 4;
        var second = (5 * Math.Pow(Z, 5) + 16 * Math.Pow(Z, 3) + 3 * Z) / 96;
        return Z + first / freedom + second / ((double)freedom * freedom);
    }
}
