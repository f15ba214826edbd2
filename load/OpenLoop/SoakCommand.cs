using System.Diagnostics;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Figures;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Reporting;
using ZapierTriggers.Load.Core.Soak;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>
/// <c>soak</c>: an open load with dedup ids and webhooks for an hour; a line every ten seconds; at the end whether memory or latency grew,
/// the server's own ledger, and the audit.
/// </summary>
internal sealed class SoakCommand
{
    private const int PayloadBytes = 400; // An hour at 10,000/s is 22 GB with what is around it.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan DeliveryPatience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RecordingPatience = TimeSpan.FromMinutes(1);

    private readonly SoakPlan _plan;
    private readonly Account _account;
    private readonly ServerProbe _probe;
    private readonly CompactLedger _ledger;
    private readonly SoakLatencies _latencies;
    private readonly List<SoakSample> _samples = [];

    private SoakCommand(SoakPlan plan, Account account, CompactLedger ledger)
    {
        (_plan, _account, _ledger) = (plan, account, ledger);
        _probe = new ServerProbe(account.Client);
        _latencies = new SoakLatencies(plan.Duration, plan.WarmUp);
    }

    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var plan = SoakPlan.Read(arguments);
        var options = new CommonOptions(arguments, DedupMode.Unique, PayloadBytes);
        arguments.RefuseOthers();

        using var session = await LoadSession.OpenAsync(plan.Server, options, "load-soak");
        var account = session.Account;
        using var receiver = new FastReceiver { OnWebhook = (in _, _) => { } };
        receiver.Secret = await account.SetWebhookAsync(receiver.Url);
        var before = await ServerLedger.ReadWithOperationalAsync(account.Client, stop);
        if (plan.Percent is { } percent)
        {
            plan = plan with { Rate = await MeasureAsync(plan, options, account, receiver, stop) * percent / 100 };
            await SettleAsync(account, before.Pending, stop);
            before = await ServerLedger.ReadWithOperationalAsync(account.Client, stop);
        }

        var ledger = new CompactLedger(session.Source, (long)Math.Ceiling(plan.Rate * plan.Duration.TotalSeconds) + plan.Connections);
        receiver.OnWebhook = ledger.NoteDelivery;
        await session.SkipExistingAsync(stop);

        Console.WriteLine(session.Description);
        Console.WriteLine($"plan      {plan.Rate:N0}/s for {plan.Duration.TotalSeconds:N0} s, {plan.Connections} connections "
            + $"to {plan.Server}; samples go to {plan.OutPath}");
        var command = new SoakCommand(plan, account, ledger);
        var settings = session.Settings(plan.Connections) with { OnAnswer = command._latencies.Note };
        using var run = new LoadRun(settings, PlanOf, new RequestNumbers(), ledger);
        var code = await command.WatchAsync(run, stop);
        code = Math.Max(code, await command.HoldLedgersAsync(before, stop));
        return Math.Max(code, Report.Tell(await ledger.AuditAsync(session.ReadInboxAsync(stop))));

        SendPlan PlanOf(int thread)
        {
            var threads = Math.Min(settings.Threads, settings.Connections);
            return SendPlan.Constant(plan.Rate / threads, plan.Duration, (double)thread / threads);
        }
    }

    /// <summary>
    /// The capacity of the whole way, events a second: from the first one sent until the last one accepted is delivered. A closed loop's
    /// rate alone is what the journal takes, which may be more than is stored and delivered in the long run.
    /// </summary>
    private static async Task<double> MeasureAsync(
        SoakPlan plan, CommonOptions options, Account account, FastReceiver receiver, CancellationToken stop)
    {
        var settings = options.CreateSettings(plan.Server, account.Key, options.CreateSource(), plan.Connections);
        var (taken, start) = (receiver.Taken, Stopwatch.GetTimestamp());
        using var run = new LoadRun(settings, _ => SendPlan.Closed(plan.Measure), new RequestNumbers());
        var result = await run.RunAsync(stop);
        if (result.Accepted == 0) throw new InvalidDataException($"{plan.Server} accepted nothing; nothing can be measured.");
        while (receiver.Taken - taken < result.Accepted)
        {
            if (Stopwatch.GetElapsedTime(start) > DeliveryPatience)
            {
                throw new InvalidDataException(
                    $"{receiver.Taken - taken:N0} of {result.Accepted:N0} were delivered in {DeliveryPatience.TotalMinutes:F0} minutes.");
            }

            await Task.Delay(Look, stop);
        }

        var capacity = result.Accepted / Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine($"capacity  {capacity:N0}/s delivered; {result.Accepted / plan.Measure.TotalSeconds:N0}/s accepted "
            + $"in a closed loop of {plan.Measure.TotalSeconds:N0} s");
        return capacity;
    }

    /// <summary>Runs the load with a sample every interval; tells the trend.</summary>
    private async Task<int> WatchAsync(LoadRun run, CancellationToken stop)
    {
        if (Path.GetDirectoryName(_plan.OutPath) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        await using var file = new StreamWriter(_plan.OutPath) { AutoFlush = true };
        Console.WriteLine(SoakSample.Head);
        var running = run.RunAsync(stop);
        using var timer = new PeriodicTimer(_plan.Interval);
        while (await Task.WhenAny(running, timer.WaitForNextTickAsync(CancellationToken.None).AsTask()) != running)
        {
            var sample = await SampleAsync(run.Snapshot(), stop);
            _samples.Add(sample);
            Console.WriteLine(sample.Line());
            await file.WriteLineAsync(sample.Json());
        }

        var result = await running;
        foreach (var line in Report.Final(result)) Console.WriteLine(line);
        Console.WriteLine(Report.Generator(result));
        return Judge(result) ? ExitCode.Success : ExitCode.Verdict;
    }

    private bool Judge(LoadResult result)
    {
        var others = result.Answered - result.Accepted - result.Statuses[409] + result.Unanswered;
        var trend = SoakTrend.Of(_samples, _latencies, _plan.Duration);
        var slopeBar = $"zero in the interval, or at most {SoakTrend.SlopeBar} MB/h; surely below {SoakTrend.CertainBar} MB/h";
        var behindBar = $"{SoakTrend.BehindSeconds} seconds' events, or {SoakTrend.BehindBar} times the first";
        return Tell("memory", trend.SlopeText(), trend.IsFlat, slopeBar)
            & Tell("latency", trend.LatencyText(), trend.IsSteady, $"at most {SoakTrend.LatencyBar} times, or 1 ms")
            & Tell("behind", trend.BehindText(), trend.KeepsUp, behindBar)
            & Tell("generator", result.VoidReason ?? "in time", result.VoidReason is null, "latencies of a late one say nothing")
            & Tell("refused", $"{others:N0} requests, those without an answer among them", others == 0, "none")
            & Tell("offered", $"{result.Backlog:N0} requests of the plan were never sent", result.Backlog == 0, "none");

        bool Tell(string name, string figures, bool isMet, string bar) => Bar.Tell(name, figures, isMet, bar, isJudged: !_plan.IsShort);
    }

    private async Task<SoakSample> SampleAsync(LoadResult so, CancellationToken stop)
    {
        var last = _samples.Count > 0 ? _samples[^1] : null;
        var (seconds, recent) = (so.Elapsed.TotalSeconds, _latencies.TakeRecent());
        var rate = (so.Accepted - (last?.Accepted ?? 0)) / (seconds - (last?.Seconds ?? 0));
        Dictionary<string, double>? figures = null;
        try
        {
            figures = await _probe.ReadFiguresAsync(stop);
        }
        catch (HttpRequestException exception)
        {
            Console.WriteLine($"note      no figures of the server: {exception.Message}"); // One scrape is no reason to end an hour.
        }

        return SoakSample.With(figures, _plan.ServerId, new SoakSample(
            seconds, so.Accepted, rate, recent.P50, recent.P99, null, null, null, null, null, _ledger.Delivered, Environment.WorkingSet));
    }

    /// <summary>Waits until all is delivered and recorded, then holds the server's ledger against ours.</summary>
    private async Task<int> HoldLedgersAsync(ServerLedger before, CancellationToken stop)
    {
        var accepted = _ledger.Count(CompactLedger.Told.Accepted);
        for (var start = Stopwatch.GetTimestamp(); _ledger.Delivered < accepted && Stopwatch.GetElapsedTime(start) < DeliveryPatience;)
            await Task.Delay(Look, stop);

        var unanswered = _ledger.Count(CompactLedger.Told.Nothing);
        await SettleAsync(_account, before.Pending, stop);
        var now = await ServerLedger.ReadWithOperationalAsync(_account.Client, stop);
        var since = now.Since(before);
        var (told, more) = (since.Operational, since.Accepted - since.Operational);
        var isExact = now.IsBalanced && more >= accepted && more <= accepted + unanswered
            && since.Delivered >= more && since.Delivered <= more + told && since.Pending <= told;
        Console.WriteLine($"ledger    accepted {more:N0}, delivered {since.Delivered:N0}, pending {now.Pending:N0}, "
            + (told > 0 ? $"of the server itself {told:N0}, " : "")
            + $"{(now.IsBalanced ? "balanced" : "NOT balanced")}; "
            + $"answered 202 {accepted:N0}, without an answer {unanswered:N0}: {(isExact ? "exact" : "NOT EXACT")}");
        return isExact ? ExitCode.Success : ExitCode.Verdict;
    }

    /// <summary>Waits until no more is pending than <paramref name="pending"/>, or patience is at its end.</summary>
    private static async Task SettleAsync(Account account, long pending, CancellationToken stop)
    {
        var since = Stopwatch.GetTimestamp();
        while ((await ServerLedger.ReadAsync(account.Client, stop)).Pending > pending)
        {
            if (Stopwatch.GetElapsedTime(since) >= RecordingPatience) return;
            await Task.Delay(Look, stop);
        }
    }
}
