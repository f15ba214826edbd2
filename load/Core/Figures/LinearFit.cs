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
}
