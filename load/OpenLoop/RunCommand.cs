using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary><c>run</c>: open load by a fixed plan, then the audit.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan DeliveryPatience = TimeSpan.FromMinutes(1);

    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var url = arguments.Url("--url", "http://localhost:8080");
        var rate = arguments.Number("--rate", 1000);
        var duration = TimeSpan.FromSeconds(arguments.Number("--seconds", 10));
        var connections = arguments.Count("--connections", 64);
        var arrivals = arguments.Text("--arrivals") ?? "constant";
        var (webhooks, audited) = (arguments.Flag("--webhooks"), !arguments.Flag("--no-audit"));
        var options = new CommonOptions(arguments);
        arguments.RefuseOthers();
        if (arrivals is not ("constant" or "poisson")) throw new UsageException($"--arrivals takes constant or poisson, not '{arrivals}'.");

        using var session = await LoadSession.OpenAsync(url, options, "load-open");
        await using var receiver = webhooks ? await Receiver.StartAsync() : null;
        if (receiver is not null) receiver.Secret = await session.Account.SetWebhookAsync(receiver.Url);
        var ledger = audited ? await session.BeginAuditAsync(stop) : null;

        Console.WriteLine(session.Description);
        Console.WriteLine($"plan      {rate:N0}/s for {duration.TotalSeconds:N0} s, {arrivals}, {connections} connections to {url}");
        var settings = session.Settings(connections);
        var threads = Math.Min(settings.Threads, connections);
        using var run = new LoadRun(settings, PlanOf, new RequestNumbers(), ledger);
        var result = await Watch.RunAsync(run, stop);

        foreach (var line in Report.Final(result)) Console.WriteLine(line);
        Console.WriteLine(Report.Generator(result));
        var code = PrintValidity(result);
        if (ledger is null) return code;
        return Math.Max(code, await AuditAsync(session, ledger, receiver));

        SendPlan PlanOf(int thread) => arrivals == "poisson"
            ? SendPlan.Poisson(rate / threads, duration, options.Seed + thread)
            : SendPlan.Constant(rate / threads, duration, (double)thread / threads);
    }

    private static int PrintValidity(LoadResult result)
    {
        if (result.Backlog > 0)
            Console.WriteLine($"OVERLOAD  {result.Backlog:N0} requests of the plan were never sent; the true latencies are worse");
        if (result.VoidReason is { } reason) Console.WriteLine($"VOID      {reason}: the latencies say nothing about the server");
        return result.Backlog > 0 || result.VoidReason is not null ? ExitCode.Verdict : ExitCode.Success;
    }

    // Ctrl+C ends the load, and what was sent until then is audited.
    private static async Task<int> AuditAsync(LoadSession session, Ledger ledger, Receiver? receiver)
    {
        if (receiver is not null) await WaitForDeliveriesAsync(ledger, receiver);
        return Report.Tell(await session.AuditAsync(ledger, receiver?.Log.ToList(), CancellationToken.None));
    }

    private static async Task WaitForDeliveriesAsync(Ledger ledger, Receiver receiver)
    {
        var accepted = ledger.Entries.LongCount(entry => entry.Status == 202);
        using var patience = new CancellationTokenSource(DeliveryPatience);
        try
        {
            await receiver.Log.WaitForAsync(ledger, patience.Token);
        }
        catch (OperationCanceledException)
        {
            var (delivered, seconds) = (receiver.Log.Succeeded, DeliveryPatience.TotalSeconds);
            Console.WriteLine($"note      {delivered:N0} of {accepted:N0} events were delivered within {seconds:N0} s");
        }
    }
}
