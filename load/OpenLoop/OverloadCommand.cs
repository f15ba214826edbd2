using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary><c>overload</c>: twice the capacity for a while, then half of it, then the audit.</summary>
internal static class OverloadCommand
{
    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var isShort = arguments.Flag("--short");
        var url = arguments.Url("--url", "http://localhost:8080");
        var settings = new OverloadSettings
        {
            Overload = TimeSpan.FromSeconds(arguments.Number("--seconds", isShort ? 3 : 60)),
            Measure = TimeSpan.FromSeconds(arguments.Number("--measure", isShort ? 1 : 10)),
            After = TimeSpan.FromSeconds(isShort ? 2 : 15),
            Crowd = arguments.Count("--crowd", isShort ? 64 : 512),
        };
        var connections = arguments.Count("--connections", 64);
        var options = new CommonOptions(arguments);
        arguments.RefuseOthers();

        using var session = await LoadSession.OpenAsync(url, options, "load-overload");
        var ledger = await session.BeginAuditAsync(stop);
        Console.WriteLine(session.Description);
        var figures = await new OverloadRun(session.Settings(connections), settings, ledger, Watch.RunAsync).RunAsync(stop);
        foreach (var line in Lines(figures, isShort ? ", not judged" : "")) Console.WriteLine(line);
        var code = Report.Tell(await session.AuditAsync(ledger, deliveries: null, stop));
        return figures.Passed || (isShort && figures.Goodput > 0) ? code : ExitCode.Verdict;
    }

    private static IEnumerable<string> Lines(OverloadFigures figures, string judgement)
    {
        foreach (var (name, result) in figures.Phases) yield return $"{name,-9} {Report.Statuses(result)}; {Report.Generator(result)}";
        yield return $"goodput   {figures.Goodput:N0}/s of a capacity of {figures.Capacity:N0}/s = {figures.GoodputShare:F2} "
            + $"(bar {OverloadFigures.GoodputBar}{judgement}), {figures.Offered:N0}/s offered"
            + (figures.IsVoid ? "; VOID: the capacity was measured too low, so this was no overload" : "");
        var timeline = figures.Timeline;
        yield return timeline.Refused == 0
            ? "refusals  none"
            : $"refusals  {timeline.Refused:N0}, p50 {timeline.RefusalMilliseconds(50):F2} ms, "
                + $"p99 {timeline.RefusalMilliseconds(99):F2} ms";
        var calm = figures.CalmAfter is { } after ? $"{after.TotalSeconds:F2} s after the overload" : "never";
        yield return $"calm      {calm} (bar {OverloadFigures.CalmBar.TotalSeconds:F0} s{judgement}); "
            + $"normal p99 {figures.NormalMilliseconds:F2} ms";
    }
}
