using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>
/// Runs a simulated process's loops: tasks on its scheduler, threads as actors that sleep until woken or until their time has come.
/// </summary>
internal sealed class SimulatedHost(TaskScheduler scheduler, TimeProvider time) : ILoopHost
{
    private readonly List<Actor> _actors = [];

    /// <inheritdoc/>
    public Task Run(Func<Task> loop) =>
        Task.Factory.StartNew(loop, CancellationToken.None, TaskCreationOptions.None, scheduler).Unwrap();

    /// <inheritdoc/>
    public IDisposable RunOnThread(string name, Func<TimeSpan?> step, WaitHandle wake)
    {
        var actor = new Actor(step, wake, time);
        _actors.Add(actor);
        return actor;
    }

    /// <summary>A thread that would run now; null when all sleep.</summary>
    public Actor? Runnable()
    {
        foreach (var actor in _actors)
        {
            if (actor.IsRunnable()) return actor;
        }

        return null;
    }

    /// <summary>A thread of the simulated process.</summary>
    internal sealed class Actor(Func<TimeSpan?> step, WaitHandle wake, TimeProvider time) : IDisposable
    {
        private TimeSpan? _rest = TimeSpan.Zero;
        private long _since;
        private bool _woken;

        /// <summary>Takes a wake-up, as a wait would.</summary>
        public bool IsRunnable()
        {
            if (_rest is not { } rest) return false;
            if (rest == TimeSpan.Zero || _woken) return true;
            if (rest != Timeout.InfiniteTimeSpan && time.GetElapsedTime(_since) >= rest) return true;
            return _woken = wake.WaitOne(0);
        }

        /// <summary>One turn of its loop.</summary>
        public void Step()
        {
            _woken = false;
            _rest = step();
            _since = time.GetTimestamp();
        }

        /// <summary>Joins it: it has been told to stop, so it needs no wake-up any more.</summary>
        public void Dispose()
        {
            while (_rest is not null) Step();
        }
    }
}
