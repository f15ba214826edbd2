using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary><c>closed</c>: how fast the server can be driven by a number of connections.</summary>
internal static class ClosedCommand
{
    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var url = arguments.Url("--url", "http://localhost:8080");
        var duration = TimeSpan.FromSeconds(arguments.Number("--seconds", 10));
        var connections = arguments.Count("--connections", 64);
        var serverId = arguments.Count("--server-pid");
        var options = new CommonOptions(arguments);
        arguments.RefuseOthers();

        using var session = await LoadSession.OpenAsync(url, options, "load-closed");
        Console.WriteLine(session.Description);
        using var run = new LoadRun(session.Settings(connections), _ => SendPlan.Closed(duration), new RequestNumbers());
        var (own, server) = (ProcessCpu.Own(), ProcessCpu.Of(serverId));
        var result = await Watch.RunAsync(run, stop);

        foreach (var line in Report.Final(result)) Console.WriteLine(line);
        var answered = Math.Max(1, result.Answered);
        var (ownEach, serverEach) = ((ProcessCpu.Own() - own) / answered, (ProcessCpu.Of(serverId) - server) / answered);
        Console.WriteLine($"CPU       generator {ownEach.TotalMicroseconds:F1} µs a request (busy {result.Busy:P0})"
            + (serverId is null ? "" : $", server {serverEach.TotalMicroseconds:F1} µs"));
        return result.Answered > 0 ? ExitCode.Success : ExitCode.Verdict;
    }
}
