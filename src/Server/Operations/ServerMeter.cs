using System.Diagnostics.Metrics;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// The server's figures. Whoever has one gives a function that reads it; nothing is pushed, so counting costs the counted path only the
/// counter it already has. Functions are called from scrapes, on any thread. Names are snake_case; in the Prometheus text a counter's ends
/// with <c>_total</c>.
/// </summary>
internal sealed class ServerMeter : IDisposable
{
    /// <summary>Name of the meter, for exporters.</summary>
    public const string Name = "ZapierTriggers";

    private readonly Meter _meter = new(Name, Build.Version);
    private readonly List<Func<IEnumerable<(string Name, long Value)>>> _figures = [];

    /// <summary>A number that only grows while the process lives.</summary>
    public void Counter(string name, string description, Func<long> read)
    {
        _meter.CreateObservableCounter(name, read, unit: null, description);
        Add(name, read);
    }

    /// <summary>Counters under one name, told apart by one tag whose values are few and known: <c>("reason", "rate_limited")</c>.</summary>
    public void Counters(string name, string description, string tag, IReadOnlyList<(string Value, Func<long> Read)> parts)
    {
        _meter.CreateObservableCounter(name, () => Measure(tag, parts), unit: null, description);
        foreach (var (value, read) in parts) Add($"{name}.{value}", read);
    }

    /// <summary>A number that goes up and down.</summary>
    public void Gauge(string name, string description, Func<long> read)
    {
        _meter.CreateObservableGauge(name, read, unit: null, description);
        Add(name, read);
    }

    /// <summary>Gauges under one name, told apart by one tag whose values are few and known.</summary>
    public void Gauges(string name, string description, string tag, IReadOnlyList<(string Value, Func<long> Read)> parts)
    {
        _meter.CreateObservableGauge(name, () => Measure(tag, parts), unit: null, description);
        foreach (var (value, read) in parts) Add($"{name}.{value}", read);
    }

    /// <summary>The same for parts that are read together, and none until there are some.</summary>
    public void Gauges(string name, string description, string tag, Func<IReadOnlyList<(string Value, long Now)>> read)
    {
        _meter.CreateObservableGauge(
            name,
            () => read().Select(part => new Measurement<long>(part.Now, new KeyValuePair<string, object?>(tag, part.Value))),
            unit: null,
            description);
        _figures.Add(() => read().Select(part => ($"{name}.{part.Value}", part.Now)));
    }

    /// <summary>A time, in seconds in the Prometheus text (<c>…_seconds</c>) and in microseconds among <see cref="Read"/>.</summary>
    public void Time(string name, string description, Func<TimeSpan> read)
    {
        _meter.CreateObservableGauge(name, () => read().TotalSeconds, "s", description);
        Add($"{name}_us", () => (long)read().TotalMicroseconds);
    }

    /// <summary>All figures as they are now, in the order they were added.</summary>
    public IEnumerable<(string Name, long Value)> Read() => _figures.SelectMany(figure => figure());

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Measure(string tag, IReadOnlyList<(string Value, Func<long> Read)> parts) =>
        parts.Select(part => new Measurement<long>(part.Read(), new KeyValuePair<string, object?>(tag, part.Value)));

    private void Add(string name, Func<long> read) => _figures.Add(() => [(name, read())]);
}
