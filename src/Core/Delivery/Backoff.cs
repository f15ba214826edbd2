namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Waits between repeats of something that fails for reasons of its own (a store that is away): 100 ms, twice as long each time, at most 5
/// s.
/// </summary>
internal sealed class Backoff(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private TimeSpan _next = First;

    /// <summary>Failures since the last success.</summary>
    public int Failures { get; private set; }

    /// <summary>
    /// Whether the next wait is longer than the one before: each longer wait is worth a log entry, the repeats of the longest are not.
    /// </summary>
    public bool IsGrowing { get; private set; } = true;

    /// <summary>Starts over.</summary>
    public void Succeeded()
    {
        Failures = 0;
        IsGrowing = true;
        _next = First;
    }

    /// <summary>Notes a failure; returns how long to wait.</summary>
    public TimeSpan Failed()
    {
        Failures++;
        var wait = _next;
        IsGrowing = wait < Longest;
        _next = wait * 2 < Longest ? wait * 2 : Longest;
        return wait;
    }

    /// <summary>Waits; returns early, without an exception, when cancelled.</summary>
    public Task WaitAsync(TimeSpan wait, CancellationToken cancellationToken) =>
        Task.WhenAny(Task.Delay(wait, time, cancellationToken));
}
