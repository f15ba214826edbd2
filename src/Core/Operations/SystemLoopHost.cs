namespace ZapierTriggers.Core.Operations;

/// <summary>The pool, and threads of the operating system's.</summary>
internal sealed class SystemLoopHost : ILoopHost
{
    private SystemLoopHost()
    {
    }

    /// <summary>The one.</summary>
    public static SystemLoopHost Instance { get; } = new();

    /// <inheritdoc/>
    public Task Run(Func<Task> loop) => Task.Run(loop); // nothing of the caller's context comes along

    /// <inheritdoc/>
    public IDisposable RunOnThread(string name, Func<TimeSpan?> step, WaitHandle wake) => new RunningThread(name, step, wake);

    private sealed class RunningThread : IDisposable
    {
        private readonly Thread _thread;

        public RunningThread(string name, Func<TimeSpan?> step, WaitHandle wake)
        {
            _thread = new Thread(Run) { IsBackground = true, Name = name };
            _thread.Start();

            void Run()
            {
                while (step() is { } rest)
                {
                    // A wait counts whole milliseconds: rounded down, the last one would be a loop that spins.
                    if (rest != TimeSpan.Zero)
                        wake.WaitOne(rest > TimeSpan.Zero ? TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds)) : rest);
                }
            }
        }

        public void Dispose() => _thread.Join();
    }
}
