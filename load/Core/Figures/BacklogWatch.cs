using System.Diagnostics;

namespace ZapierTriggers.Load.Core.Figures;

/// <summary>Notes a server's backlog many times a second while something else runs.</summary>
internal sealed class BacklogWatch(ServerProbe probe)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Runs until <paramref name="running"/> ends; seconds from the start and events. Empty if the server has no such figure.
    /// </summary>
    public async Task<List<(double Seconds, double Events)>> WhileAsync(Task running)
    {
        var samples = new List<(double, double)>();
        var start = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Interval);
        while (!running.IsCompleted)
        {
            if (await ReadAsync() is not { } events) break;
            samples.Add((Stopwatch.GetElapsedTime(start).TotalSeconds, events));
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return samples;
    }

    private async Task<long?> ReadAsync()
    {
        try
        {
            return await probe.ReadBacklogAsync(CancellationToken.None);
        }
        catch (HttpRequestException)
        {
            return null; // The server went away: the run's own answers tell it.
        }
    }
}
