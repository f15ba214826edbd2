namespace ZapierTriggers.Core.Delivery;

/// <summary>Lets one loop wait for a time or a wake-up, whichever comes first. A wake-up while the loop is at work is kept for its next wait.</summary>
internal sealed class WakeSignal(TimeProvider time)
{
    private TaskCompletionSource _signal = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Wakes the loop.</summary>
    public void Set() => Volatile.Read(ref _signal).TrySetResult();

    /// <summary>Waits; also returns early, without an exception, when cancelled.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(_signal.Task, Task.Delay(atMost, time, over.Token));
        await over.CancelAsync();
        // From here on a wake-up counts for the next wait; what caused an earlier one is seen by the work that follows.
        Volatile.Write(ref _signal, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }
}
