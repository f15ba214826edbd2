namespace ZapierTriggers.Core.Operations;

/// <summary>
/// Where the endless loops run: on the pool and on threads of their own (<see cref="SystemLoopHost"/>), or, in a simulation, step by step
/// on one thread in an order that a seed decides. A loop must await with the captured context, or it leaves its host.
/// </summary>
internal interface ILoopHost
{
    /// <summary>Runs an asynchronous loop; the task ends with it.</summary>
    Task Run(Func<Task> loop);

    /// <summary>
    /// Runs a loop that blocks on the system. Each step returns how long to sleep before the next unless woken (zero = go on at once,
    /// <see cref="Timeout.InfiniteTimeSpan"/> = until woken), null at the end. Disposing the result waits for that.
    /// </summary>
    IDisposable RunOnThread(string name, Func<TimeSpan?> step, WaitHandle wake);
}
