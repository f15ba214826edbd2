using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Yardstick;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary><c>bare</c>: hosts the yardstick until Ctrl+C.</summary>
internal static class BareCommand
{
    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var port = arguments.Count("--port", 9090);
        var headers = arguments.Text("--headers") ?? "contract";
        arguments.RefuseOthers();
        if (headers is not ("contract" or "none")) throw new UsageException($"--headers takes contract or none, not '{headers}'.");

        await using var app = await BareServer.StartAsync(port, withHeaders: headers == "contract");
        Console.WriteLine($"bare server on {app.Urls.First()} (process {Environment.ProcessId}); Ctrl+C ends it");
        var ended = new TaskCompletionSource();
        await using var _ = stop.Register(ended.SetResult);
        await Task.WhenAny(ended.Task, app.WaitForShutdownAsync(CancellationToken.None));
        return ExitCode.Success;
    }
}
