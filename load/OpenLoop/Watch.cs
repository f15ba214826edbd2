using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>Runs a load and prints a line each second.</summary>
internal static class Watch
{
    /// <summary>Runs to the end.</summary>
    public static async Task<LoadResult> RunAsync(LoadRun run, CancellationToken stop)
    {
        var running = run.RunAsync(stop);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (true)
        {
            var tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
            if (await Task.WhenAny(running, tick) == running) return await running;
            Console.WriteLine(Report.Progress(run.Snapshot()));
        }
    }
}
