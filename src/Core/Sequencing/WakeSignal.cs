namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// Wakes one waiting loop; wake-ups that come while it works are folded into one. The loop's own data says what there is to do, never the
/// signal.
/// </summary>
internal sealed class WakeSignal
{
    private readonly Lock _gate = new();
    private Promise? _waiter;
    private bool _set;

    /// <summary>Wakes the loop, now or at its next wait.</summary>
    public void Set()
    {
        Promise? waiter;
        lock (_gate)
        {
            _set = true;
            waiter = _waiter;
        }

        waiter?.TrySetResult();
    }

    /// <summary>
    /// Waits for the next wake-up, or at most this long; returns early, without an exception, when cancelled. For one loop only, which
    /// looks at all of its data after each wait.
    /// </summary>
    public async ValueTask WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken = default)
    {
        Promise? wait = null;
        lock (_gate)
        {
            if (!_set) wait = _waiter = new Promise();
        }

        // A time-out is a wake-up too: loops look again by themselves.
        if (wait is not null) await wait.WaitAsync(atMost, time, cancellationToken);

        // Only here: a wake-up between time-out and return is answered by the look that follows, one after it by the next wait.
        lock (_gate)
        {
            _set = false;
            _waiter = null;
        }
    }
}
