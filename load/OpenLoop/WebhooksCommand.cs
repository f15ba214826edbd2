using System.Globalization;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>
/// <c>webhooks</c>: deliveries a second beside a plain client's posts to the same receiver, round by round with the order swapped; how soon an
/// event is at the receiver when nothing else happens, and under load; the same next to receivers that hang and fail; then the audit.
/// </summary>
internal static class WebhooksCommand
{
    private const double RatioBar = 0.6;
    private const double IdleBarMilliseconds = 50;
    private const double NeighboursBar = 1.2;
    private const double RecordedBar = 100_000 / 60.0;
    private static readonly TimeSpan RecordingLagBar = TimeSpan.FromSeconds(1);

    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var plan = WebhooksPlan.Read(arguments);
        var options = new CommonOptions(arguments);
        arguments.RefuseOthers();
        if (plan.HasNeighbours && options.AdminToken is null) throw new UsageException("--hanging and --failing need --admin-token.");

        var source = options.CreateSource();
        using var account = await Account.OpenAsync(plan.Server, options.Key, options.AdminToken, "load-webhooks");
        using var receiver = new FastReceiver();
        receiver.Secret = await account.SetWebhookAsync(receiver.Url);
        var inbox = new InboxReader(account.Client);
        await inbox.SkipExistingAsync(stop);
        var ledger = new Ledger();
        var settings = options.CreateSettings(plan.Server, account.Key, source, plan.InFlight);
        var run = new WebhookRun(settings, account.Client, receiver, ledger, () => ProcessCpu.Of(plan.ServerId));
        using var plainReceiver = new FastReceiver();
        using var plain = new PlainPoster(plainReceiver.Url, options.Templates, source);
        Console.WriteLine(options.Describe(source));

        var good = plan.Rounds == 0 || await CompareAsync(plan, run, plain, stop);
        good &= await LatenciesAsync(plan, run, stop);
        if (plan.HasNeighbours) good &= await NeighboursAsync(plan, options, run, stop);
        return Math.Max(good ? ExitCode.Success : ExitCode.Verdict, await AuditAsync(run, source, ledger, inbox, stop));
    }

    private static async Task<bool> CompareAsync(WebhooksPlan plan, WebhookRun run, PlainPoster plain, CancellationToken stop)
    {
        Console.WriteLine($"rounds    {plan.Rounds} of {plan.Events:N0} events, {plan.InFlight} in flight, after one to warm up");
        Console.WriteLine("            plain/s   server/s   ratio   CPU ms per 1,000   last one recorded after");
        var (ratios, rates, lags) = (new List<double>(), new List<double>(), new List<TimeSpan>());
        var hold = plan.HoldSeconds;
        for (var number = 0; ratios.Count < plan.Rounds && number <= plan.Rounds * 2 && !stop.IsCancellationRequested; number++)
        {
            var plainFirst = number % 2 == 0;
            var plainTime = plainFirst ? await plain.RunAsync(plan.Events, plan.InFlight, stop) : default;
            var round = await run.RoundAsync(plan.Events, hold, stop);
            if (!plainFirst) plainTime = await plain.RunAsync(plan.Events, plan.InFlight, stop);
            var plainRate = plan.Events / plainTime.TotalSeconds;
            var cpu = plan.ServerId is null ? "-" : Text(round.Cpu.TotalMilliseconds * 1000, "F0");
            Console.WriteLine($"  {(number == 0 ? "warm" : number),4}  {plainRate,9:N0}  {round.Rate,9:N0}   {Text(round.Rate / plainRate, "F3")}   {cpu,16}   {round.RecordedAfter.TotalMilliseconds,9:F0} ms"
                + (round.IsVoid ? $"   VOID: not all was accepted in {hold} s, twice as long from now on" : ""));
            if (round.IsVoid) hold *= 2;
            if (number == 0 || round.IsVoid) continue;
            ratios.Add(round.Rate / plainRate);
            rates.Add(round.Rate);
            lags.Add(round.RecordedAfter);
        }

        if (ratios.Count == 0) return false;
        var summary = RatioSummary.Of(ratios);
        var recorded = plan.Events / (plan.Events / rates.Min() + lags.Max().TotalSeconds);
        return Bar("ratio", $"median {Text(summary.Median, "F3")} ({Text(summary.Lowest, "F3")} to {Text(summary.Highest, "F3")})", summary.Median >= RatioBar, $"at least {RatioBar}")
            & Bar("recorded", $"{recorded:N0}/s at the least, at most {lags.Max().TotalMilliseconds:F0} ms after the last arrival", recorded >= RecordedBar && lags.Max() <= RecordingLagBar, "1,667/s, within 1 s");
    }

    private static async Task<bool> LatenciesAsync(WebhooksPlan plan, WebhookRun run, CancellationToken stop)
    {
        var idle = await run.LatencyAsync(plan.IdleRate, plan.LatencyTime, stop);
        var good = Bar("idle", $"from 202 to the webhook, at {plan.IdleRate:N0}/s: {Text(idle)}", idle.P95 < IdleBarMilliseconds, $"p95 below {IdleBarMilliseconds:N0} ms");
        if (plan.BusyRate is not { } rate) return good;
        Console.WriteLine($"busy      the same at {rate:N0}/s: {Text(await run.LatencyAsync(rate, plan.LatencyTime, stop))}");
        return good;
    }

    private static async Task<bool> NeighboursAsync(WebhooksPlan plan, CommonOptions options, WebhookRun run, CancellationToken stop)
    {
        var alone = await run.LatencyAsync(plan.NeighboursRate, plan.LatencyTime, stop);
        using var neighbours = new BadNeighbours();
        await neighbours.StartAsync(plan.Server, options, plan.Hanging, plan.Failing, stop);
        var among = await run.LatencyAsync(plan.NeighboursRate, plan.LatencyTime, stop);
        Console.WriteLine($"alone     at {plan.NeighboursRate:N0}/s: {Text(alone)}");
        Console.WriteLine($"among     {plan.Hanging:N0} hanging and {plan.Failing:N0} failing endpoints: {Text(among)}; {neighbours.Describe()}");
        return Bar("neighbours", $"p95 {Text(among.P95 / alone.P95, "F2")} of that alone", among.P95 <= alone.P95 * NeighboursBar, $"at most {NeighboursBar}");
    }

    private static async Task<int> AuditAsync(WebhookRun run, Core.Bodies.EventSource source, Ledger ledger, InboxReader inbox, CancellationToken stop)
    {
        var (accepted, recorded) = await run.FinishAsync(stop);
        var report = await Audit.RunAsync(source, ledger, inbox.ReadAsync(stop), run.Deliveries);
        var isRecorded = Bar("outcomes", $"{recorded:N0} events listed as delivered of {accepted:N0} accepted", recorded >= accepted, "all");
        foreach (var line in report.Lines()) Console.WriteLine(line);
        return isRecorded ? report.ExitCode : ExitCode.Verdict;
    }

    private static bool Bar(string name, string figures, bool isMet, string bar)
    {
        Console.WriteLine($"{name,-9} {figures} ({(isMet ? "bar met" : "BAR MISSED")}: {bar})");
        return isMet;
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Text(LatencySummary latency) => $"p50 {Text(latency.P50, "F2")}  p95 {Text(latency.P95, "F2")}  p99 {Text(latency.P99, "F2")} ms";
}
