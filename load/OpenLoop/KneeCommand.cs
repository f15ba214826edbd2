using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Figures;
using ZapierTriggers.Load.Core.Knee;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Reporting;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>
/// <c>knee</c>: latency by load, from a tenth of the capacity to over it, as a page and as lines of JSON; then the audit.
/// </summary>
internal static class KneeCommand
{
    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        if (arguments.Flag("--self-test")) return await SelfTestAsync(arguments, stop);
        var url = arguments.Url("--url", "http://localhost:8080");
        var settings = ReadSettings(arguments);
        var connections = arguments.Count("--connections", 64);
        var (webhooks, audited) = (arguments.Flag("--webhooks"), !arguments.Flag("--no-audit"));
        var serverId = arguments.Count("--server-pid");
        var folder = arguments.Text("--out") ?? "reports";
        var options = new CommonOptions(arguments);
        arguments.RefuseOthers();

        using var session = await LoadSession.OpenAsync(url, options, "load-knee");
        using var receiver = webhooks ? new FastReceiver() : null;
        if (receiver is not null) receiver.Secret = await session.Account.SetWebhookAsync(receiver.Url);
        var ledger = audited ? await session.BeginAuditAsync(stop) : null;
        string[] facts =
        [
            $"machine   {Machine.Describe()}, generator and server on it",
            session.Description,
            $"plan      {connections} connections, {settings.Percents.Count} steps of {settings.Step.TotalSeconds:N0} s"
                + (webhooks ? ", with webhooks" : ""),
        ];
        foreach (var fact in facts) Console.WriteLine(fact);

        var run = new KneeRun(session.Settings(connections), settings, new ServerProbe(session.Account.Client), ledger)
        {
            Receiver = receiver,
            ServerCpu = serverId is null ? null : () => ProcessCpu.Of(serverId),
            OnStep = step => Console.WriteLine(KneeTable.Line(step)),
        };
        Console.WriteLine(KneeTable.Heading);
        var (capacity, steps) = await run.RunAsync(stop);
        var audit = ledger is null ? null : await session.AuditAsync(ledger, webhooks ? run.Deliveries : null, stop);
        return Finish(new KneeFigures(capacity, steps, audit), facts, folder);
    }

    private static KneeSettings ReadSettings(Arguments arguments) => new()
    {
        Measure = TimeSpan.FromSeconds(arguments.Number("--measure", 5)),
        Step = TimeSpan.FromSeconds(arguments.Number("--seconds", 10)),
        Percents = arguments.Counts("--percents", [.. new KneeSettings().Percents]),
        Capacity = arguments.Number("--capacity"),
    };

    private static int Finish(KneeFigures figures, IReadOnlyList<string> facts, string folder)
    {
        Console.WriteLine($"knee      {KneePage.Verdict(figures)}");
        foreach (var line in figures.Audit?.Lines() ?? []) Console.WriteLine(line);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "report.html"), KneePage.Write(figures, facts));
        File.WriteAllText(Path.Combine(folder, "report.ndjson"), KneeLines.Write(figures, facts));
        Console.WriteLine($"written   {Path.Combine(folder, "report.html")} and report.ndjson");
        return figures.ExitCode;
    }

    private static async Task<int> SelfTestAsync(Arguments arguments, CancellationToken stop)
    {
        arguments.RefuseOthers();
        var test = await StallTest.RunAsync(stop);
        Console.WriteLine("self-test a server that stalls one second in ten: "
            + FormattableString.Invariant($"p99 from intended times {test.OpenP99:F0} ms, of a closed loop {test.ClosedP99:F1} ms"));
        Console.WriteLine(AuditReport.VerdictLine(test.Passed));
        return test.Passed ? ExitCode.Success : ExitCode.Verdict;
    }
}
