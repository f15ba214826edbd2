namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// What one waiter waits on. Unlike <see cref="Task.WaitAsync(TimeSpan, TimeProvider)"/>, a limit in time costs no hop over the pool: the
/// waiter goes on where it captured its context, whatever ended the wait.
/// </summary>
internal sealed class Promise() : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    /// <summary>Returns when it was kept, the time is over or the token was cancelled; the caller looks which.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(Keep, this);
        await using var timer = atMost == Timeout.InfiniteTimeSpan ? null : time.CreateTimer(Keep, this, atMost, Timeout.InfiniteTimeSpan);
        await Task;
    }

    private static void Keep(object? promise) => ((Promise)promise!).TrySetResult();
}
