namespace ZapierTriggers.Core.Sequencing;

/// <summary>Wakes one waiting loop; wake-ups that come while it works are folded into one. The loop's own data says what there is to do, never the signal.</summary>
internal sealed class WakeSignal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiter;
    private bool _set;

    /// <summary>Wakes the loop, now or at its next wait.</summary>
    public void Set()
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            waiter = _waiter;
            _waiter = null;
            _set = waiter is null;
        }

        waiter?.TrySetResult();
    }

    /// <summary>Waits for the next wake-up, or at most this long. For one loop only.</summary>
    public async ValueTask WaitAsync(TimeSpan atMost, TimeProvider time)
    {
        Task wait;
        lock (_gate)
        {
            if (_set)
            {
                _set = false;
                return;
            }

            _waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            wait = _waiter.Task;
        }

        // A time-out is a wake-up too: loops look again by themselves.
        if (atMost == Timeout.InfiniteTimeSpan) await wait;
        else await wait.WaitAsync(atMost, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
