using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Reporting;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>
/// <c>webhooks</c>: deliveries a second beside a plain client's posts to such a receiver, signed and bare, round by round in changing
/// order; how soon an event is at the receiver when nothing else happens, and under load; the same next to receivers that hang and fail;
/// then the audit.
/// </summary>
internal static class WebhooksCommand
{
    /// <summary>Of a loop that posts the same signed messages, and of one that signs nothing.</summary>
    private const double SignedBar = 0.6;
    private const double BareBar = 0.5;
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

        using var session = await LoadSession.OpenAsync(plan.Server, options, "load-webhooks");
        using var receiver = new FastReceiver();
        receiver.Secret = await session.Account.SetWebhookAsync(receiver.Url);
        var ledger = await session.BeginAuditAsync(stop);
        var settings = session.Settings(plan.InFlight);
        var run = new WebhookRun(settings, session.Account.Client, receiver, ledger, () => ProcessCpu.Of(plan.ServerId));
        using var plainReceiver = new FastReceiver { Secret = receiver.Secret };
        using var bareReceiver = new FastReceiver();
        using var signed = new PlainPoster(plainReceiver.Url, options.Templates, session.Source, receiver.Secret);
        using var bare = new PlainPoster(bareReceiver.Url, options.Templates, session.Source);
        Console.WriteLine(session.Description);

        void Forget() => _ = (plainReceiver.TakeArrivals(), bareReceiver.TakeArrivals());
        var good = plan.Rounds == 0 || await CompareAsync(plan, run, signed, bare, Forget, stop);
        good &= await LatenciesAsync(plan, run, stop);
        if (plan.HasNeighbours) good &= await NeighboursAsync(plan, options, run, stop);
        return Math.Max(good ? ExitCode.Success : ExitCode.Verdict, await AuditAsync(run, session, ledger, stop));
    }

    private static async Task<bool> CompareAsync(
        WebhooksPlan plan, WebhookRun run, PlainPoster signed, PlainPoster bare, Action forget, CancellationToken stop)
    {
        Console.WriteLine($"rounds    {plan.Rounds} of {plan.Events:N0} events, {plan.InFlight} in flight, after one to warm up");
        Console.WriteLine("          server/s   signed/s   ratio     bare/s   ratio   CPU ms per 1,000   last one recorded after");
        var rounds = new List<(WebhookRound Server, double ToSigned, double ToBare)>();
        var hold = plan.HoldSeconds;
        for (var number = 0; rounds.Count < plan.Rounds && number <= plan.Rounds * 2 && !stop.IsCancellationRequested; number++)
        {
            WebhookRound? round = null;
            var (signedRate, bareRate) = (0.0, 0.0);
            // Each of the three begins in turn, and each other round goes the other way round.
            for (var place = 0; place < 3; place++)
            {
                var side = number + (number % 2 == 0 ? place : 3 - place);
                if (side % 3 == 0) signedRate = await RateAsync(signed, plan, stop);
                else if (side % 3 == 1) bareRate = await RateAsync(bare, plan, stop);
                else round = await run.RoundAsync(plan.Events, hold, stop);
            }

            var result = (Server: round!, ToSigned: round!.Rate / signedRate, ToBare: round.Rate / bareRate);
            var cpu = plan.ServerId is null ? "-" : $"{round.Cpu.TotalMilliseconds * 1000:F0}";
            Console.WriteLine($"  {(number == 0 ? "warm" : number),4}  {round.Rate,10:N0} {signedRate,10:N0}   {result.ToSigned:F3} "
                + $"{bareRate,10:N0}   {result.ToBare:F3}   {cpu,16}   {round.RecordedAfter.TotalMilliseconds,9:F0} ms"
                + (round.IsVoid ? $"   VOID: not all was accepted in {hold} s, twice as long from now on" : ""));
            forget();
            if (round.IsVoid) hold *= 2;
            if (number > 0 && !round.IsVoid) rounds.Add(result);
        }

        return rounds.Count > 0 && Judge(plan, rounds) && rounds.Count == plan.Rounds;
    }

    private static bool Judge(WebhooksPlan plan, List<(WebhookRound Server, double ToSigned, double ToBare)> rounds)
    {
        var lag = rounds.Max(round => round.Server.RecordedAfter);
        var recorded = plan.Events / (plan.Events / rounds.Min(round => round.Server.Rate) + lag.TotalSeconds);
        return Ratio("signed", rounds.Select(round => round.ToSigned), SignedBar)
            & Ratio("bare", rounds.Select(round => round.ToBare), BareBar)
            & Bar.Tell(
                "recorded",
                $"{recorded:N0}/s at the least, at most {lag.TotalMilliseconds:F0} ms after the last arrival",
                recorded >= RecordedBar && lag <= RecordingLagBar,
                "1,667/s, within 1 s");
    }

    private static bool Ratio(string name, IEnumerable<double> ratios, double bar)
    {
        var summary = RatioSummary.Of(ratios);
        return Bar.Tell(name, $"ratio {summary.Text()}", summary.Median >= bar, $"at least {bar}");
    }

    private static async Task<double> RateAsync(PlainPoster poster, WebhooksPlan plan, CancellationToken stop) =>
        plan.Events / (await poster.RunAsync(plan.Events, plan.InFlight, stop)).TotalSeconds;

    private static async Task<bool> LatenciesAsync(WebhooksPlan plan, WebhookRun run, CancellationToken stop)
    {
        var idle = await run.LatencyAsync(plan.IdleRate, plan.LatencyTime, stop);
        var good = Bar.Tell(
            "idle",
            $"from 202 to the webhook, at {plan.IdleRate:N0}/s: {Text(idle)}",
            idle.P95 < IdleBarMilliseconds,
            $"p95 below {IdleBarMilliseconds:N0} ms");
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
        Console.WriteLine(
            $"among     {plan.Hanging:N0} hanging and {plan.Failing:N0} failing endpoints: {Text(among)}; {neighbours.Describe()}");
        return Bar.Tell(
            "neighbours",
            $"p95 {among.P95 / alone.P95:F2} of that alone",
            among.P95 <= alone.P95 * NeighboursBar,
            $"at most {NeighboursBar}");
    }

    private static async Task<int> AuditAsync(WebhookRun run, LoadSession session, Ledger ledger, CancellationToken stop)
    {
        var (accepted, recorded) = await run.FinishAsync(stop);
        var report = await session.AuditAsync(ledger, run.Deliveries, stop);
        var isRecorded = Bar.Tell(
            "outcomes", $"{recorded:N0} events listed as delivered of {accepted:N0} accepted", recorded >= accepted, "all");
        var code = Report.Tell(report);
        return isRecorded ? code : ExitCode.Verdict;
    }

    private static string Text(LatencySummary latency) => $"p50 {latency.P50:F2}  p95 {latency.P95:F2}  p99 {latency.P99:F2} ms";
}
