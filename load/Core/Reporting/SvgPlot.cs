using System.Globalization;
using System.Net;
using System.Text;

namespace ZapierTriggers.Load.Core.Reporting;

/// <summary>One line of a plot.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Points">Its points by x; a doubtful one is drawn hollow.</param>
internal sealed record PlotSeries(string Name, IReadOnlyList<(double X, double Y, bool IsDoubtful)> Points);

/// <summary>
/// A line plot as inline SVG: no script, no outside asset. Colours come from the page's CSS (<c>.s0</c> to <c>.s3</c>), so that it
/// follows the
/// light or dark scheme; a point shows its figures when pointed at.
/// </summary>
internal sealed class SvgPlot
{
    private const int Width = 680;
    private const int Height = 300;
    private const int Left = 70;
    private const int Right = 30;
    private const int Top = 16;
    private const int Bottom = 44;
    private const int Ticks = 5;

    private readonly IReadOnlyList<PlotSeries> _series;
    private readonly bool _isLogarithmic;
    private readonly (double Low, double High) _x;
    private readonly (double Low, double High) _y;
    private readonly StringBuilder _svg = new();

    private SvgPlot(IReadOnlyList<PlotSeries> series, bool isLogarithmic)
    {
        _series = [.. series.Select(one => isLogarithmic ? one with { Points = [.. one.Points.Where(point => point.Y > 0)] } : one)];
        _isLogarithmic = isLogarithmic;
        var points = _series.SelectMany(one => one.Points).ToList();
        _x = (0, Step(points.Select(point => point.X).DefaultIfEmpty(1).Max()) * Ticks);
        var low = points.Select(point => point.Y).DefaultIfEmpty(0).Min();
        var high = points.Select(point => point.Y).DefaultIfEmpty(1).Max();
        _y = isLogarithmic ? Decades(low, high) : Steps(Math.Min(low, 0), Math.Max(high, 0));
    }

    /// <summary>Draws it; empty when there is no point at all.</summary>
    /// <param name="yLabel">What the y axis shows, with its unit.</param>
    /// <param name="xLabel">The same of the x axis.</param>
    /// <param name="series">At most four lines.</param>
    /// <param name="isLogarithmic">Whether y is in powers of ten; points at or below 0 are left out then.</param>
    public static string Draw(string yLabel, string xLabel, IReadOnlyList<PlotSeries> series, bool isLogarithmic = false) =>
        series.All(one => one.Points.Count == 0) ? "" : new SvgPlot(series, isLogarithmic).Draw(yLabel, xLabel);

    private string Draw(string yLabel, string xLabel)
    {
        Add($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Escape(yLabel)} by {Escape(xLabel)}\">");
        DrawGrid();
        Add($"<text class=\"axis\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">{Escape(xLabel)}</text>");
        var middle = -(Top + Height - Bottom) / 2;
        Add($"<text class=\"axis\" transform=\"rotate(-90)\" x=\"{middle}\" y=\"14\" text-anchor=\"middle\">{Escape(yLabel)}</text>");
        for (var index = 0; index < _series.Count; index++) DrawSeries(index);
        Add($"</svg>");
        return _svg.ToString();
    }

    private void DrawGrid()
    {
        for (var tick = 0; tick <= Ticks; tick++)
        {
            var value = _x.Low + (_x.High - _x.Low) * tick / Ticks;
            Add($"<text class=\"tick\" x=\"{X(value):F1}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{Number(value)}</text>");
        }

        var rows = _isLogarithmic ? (int)(_y.High - _y.Low) : Ticks;
        for (var row = 0; row <= rows; row++)
        {
            var place = _y.Low + (_y.High - _y.Low) * row / rows;
            var y = Place(place);
            Add($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:F1}\" y2=\"{y:F1}\"/>");
            var text = Number(_isLogarithmic ? Math.Pow(10, place) : place);
            Add($"<text class=\"tick\" x=\"{Left - 6}\" y=\"{y + 4:F1}\" text-anchor=\"end\">{text}</text>");
        }
    }

    private void DrawSeries(int index)
    {
        var points = _series[index].Points;
        var path = string.Join(' ', points.Select(point => FormattableString.Invariant($"{X(point.X):F1},{Y(point.Y):F1}")));
        Add($"<polyline class=\"line s{index}\" points=\"{path}\"/>");
        foreach (var (x, y, isDoubtful) in points)
        {
            var text = $"{_series[index].Name}: {Number(y)} at {Number(x)}{(isDoubtful ? " (void)" : "")}";
            var kind = isDoubtful ? " void" : "";
            Add($"<circle class=\"dot s{index}{kind}\" cx=\"{X(x):F1}\" cy=\"{Y(y):F1}\" r=\"4\"><title>{Escape(text)}</title></circle>");
        }
    }

    private double X(double value) => Left + (value - _x.Low) / (_x.High - _x.Low) * (Width - Left - Right);

    private double Y(double value) => Place(_isLogarithmic ? Math.Log10(value) : value);

    private double Place(double value) => Height - Bottom - (value - _y.Low) / (_y.High - _y.Low) * (Height - Top - Bottom);

    /// <summary>As many equal steps as there are ticks around two values, 0 at one of the ticks.</summary>
    private static (double Low, double High) Steps(double low, double high)
    {
        const double Room = 1.25; // Low is rounded down by up to one of five steps: the other four must reach high.
        var step = Step(low < 0 ? (high - low) * Room : high);
        var first = Math.Floor(low / step) * step;
        return (first, first + step * Ticks);
    }

    /// <summary>The powers of ten around two values, at least one decade.</summary>
    private static (double Low, double High) Decades(double low, double high)
    {
        const double Least = 1e-9; // Of a picosecond no plot is made; it only keeps the logarithm from zero.
        var first = Math.Floor(Math.Log10(Math.Max(low, Least)));
        return (first, Math.Max(first + 1, Math.Ceiling(Math.Log10(Math.Max(high, Least)))));
    }

    /// <summary>The smallest of 1, 2, 5 · 10ⁿ of which as many as there are ticks reach the value.</summary>
    private static double Step(double value)
    {
        if (value <= 0) return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(value / Ticks)));
        return power * new[] { 1, 2, 5, 10 }.First(factor => factor * power * Ticks >= value * (1 - 1e-9));
    }

    private static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private void Add(FormattableString text) => _svg.Append(text.ToString(CultureInfo.InvariantCulture));
}
