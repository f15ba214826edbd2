using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Bodies;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>An answer has come.</summary>
/// <param name="status">Its status.</param>
/// <param name="now">When, in nanoseconds from the start of the run.</param>
/// <param name="latency">Nanoseconds since its request was to be sent.</param>
internal delegate void AnswerTaken(int status, long now, long latency);

/// <summary>An event has been accepted (202).</summary>
/// <param name="id">The id that the answer named.</param>
/// <param name="timestamp">When the answer was read, a <see cref="System.Diagnostics.Stopwatch"/> timestamp.</param>
internal delegate void EventAccepted(EventId id, long timestamp);

/// <summary>What is sent where.</summary>
internal sealed record LoadSettings
{
    /// <summary>The server's base address, e.g. <c>http://localhost:8080</c>; plain HTTP only.</summary>
    public required Uri Server { get; init; }

    /// <summary>The organization's key; null sends none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The events.</summary>
    public required EventSource Source { get; init; }

    /// <summary>Connections over all threads.</summary>
    public int Connections { get; init; } = 64;

    /// <summary>Sending threads. One is enough for what two cores can answer.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Told of each answer, on the thread that took it; null tells nobody.</summary>
    public AnswerTaken? OnAnswer { get; init; }

    /// <summary>Told of each event accepted, on the thread that took the answer; null tells nobody.</summary>
    public EventAccepted? OnAccepted { get; init; }

    /// <summary>How long an answer may take; also how long the end of a run waits for what is under way.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}
