namespace ZapierTriggers.Load.Core.Figures;

/// <summary>What a server uses while nothing but our own watching happens: it is taken off what a step has used.</summary>
/// <param name="ScrapeBytes">Bytes allocated by one reading of the process's figures.</param>
/// <param name="BytesPerSecond">Bytes allocated a second beside that.</param>
/// <param name="CpuShare">CPU time by time.</param>
internal readonly record struct IdleFigures(double ScrapeBytes, double BytesPerSecond, double CpuShare)
{
    // CPU time comes in steps of 10 ms: half a percent of a core in these.
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(2);

    /// <summary>Measures for two seconds; whatever the server does not tell counts as nothing.</summary>
    public static async Task<IdleFigures> MeasureAsync(ServerProbe probe, Func<TimeSpan>? cpu, CancellationToken stop)
    {
        await probe.ReadProcessAsync(stop); // The first one is dearer.
        var first = await probe.ReadProcessAsync(stop);
        var second = await probe.ReadProcessAsync(stop);
        var before = cpu?.Invoke() ?? TimeSpan.Zero;
        await new BacklogWatch(probe).WhileAsync(Task.Delay(Time, stop));
        var used = (cpu?.Invoke() ?? TimeSpan.Zero) - before;
        var third = await probe.ReadProcessAsync(stop);
        var scrape = (second.AllocatedBytes - first.AllocatedBytes) ?? 0;
        var rest = (third.AllocatedBytes - second.AllocatedBytes - scrape) ?? 0;
        return new IdleFigures(scrape, Math.Max(0, rest / Time.TotalSeconds), used / Time);
    }

    /// <summary>Bytes without those of so long a watch and one reading; null stays null.</summary>
    public double? Without(double? bytes, TimeSpan time) =>
        bytes is { } known ? Math.Max(0, known - ScrapeBytes - BytesPerSecond * time.TotalSeconds) : null;

    /// <summary>CPU time without that of so long a watch; null stays null.</summary>
    public TimeSpan? Without(TimeSpan? cpu, TimeSpan time)
    {
        if (cpu is not { } known) return null;
        var rest = known - CpuShare * time;
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }
}
