using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>Keeps the log entries of a server as lines of text: level, id, message, and the exception's type if there is one.</summary>
internal sealed class LogRecorder : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>The entries so far.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => this;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel} {eventId.Id}: {formatter(state, exception)} {exception?.GetType().Name}");

    /// <inheritdoc/>
    public void Dispose()
    {
        // Holds nothing that must be freed; the lines outlive the server.
    }
}
