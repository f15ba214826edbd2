using Microsoft.Extensions.Logging;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>What happened in a run, for the report of one that fails: the server's own log among it.</summary>
internal sealed class Trace : ILogger
{
    private readonly List<string> _lines = [];

    /// <summary>Whether every effect is noted, too: for the repeat of one run.</summary>
    public bool IsVerbose { get; init; }

    /// <summary>Adds a line.</summary>
    public void Note(string line) => _lines.Add(line);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Add($"  {logLevel}: {formatter(state, exception)} {exception?.Message}");

    public bool IsEnabled(LogLevel logLevel) => IsVerbose || logLevel > LogLevel.Debug;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public override string ToString() => string.Join('\n', _lines);
}
