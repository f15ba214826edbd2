using System.Diagnostics;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Figures;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Knee;

/// <summary>
/// Measures the capacity in a closed loop, then offers shares of it in an open one, each for as long, with a pause between them in which
/// the
/// server stores and delivers what it has accepted, so that no step pays for the one before it.
/// </summary>
/// <param name="load">What is sent where.</param>
/// <param name="settings">The steps.</param>
/// <param name="probe">Reads the server's own figures.</param>
/// <param name="ledger">Where each request is noted; null notes none.</param>
internal sealed class KneeRun(LoadSettings load, KneeSettings settings, ServerProbe probe, Ledger? ledger)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly RequestNumbers _numbers = new();
    private readonly WebhookTimes _webhooks = new();
    private IdleFigures _idle;
    private bool _isSettled = true;

    /// <summary>Where the organization's webhooks go; null if it has none.</summary>
    public FastReceiver? Receiver { get; init; }

    /// <summary>The server's CPU time so far; null does not ask.</summary>
    public Func<TimeSpan>? ServerCpu { get; init; }

    /// <summary>Told of each step when it is over.</summary>
    public Action<KneeStep>? OnStep { get; init; }

    /// <summary>All webhooks so far.</summary>
    public IReadOnlyList<Delivery> Deliveries => _webhooks.Deliveries;

    /// <summary>Runs all of it.</summary>
    /// <exception cref="InvalidDataException">The server accepted nothing while its capacity was measured.</exception>
    public async Task<(double Capacity, IReadOnlyList<KneeStep> Steps)> RunAsync(CancellationToken stop)
    {
        var capacity = settings.Capacity ?? await MeasureAsync(stop);
        _idle = await IdleFigures.MeasureAsync(probe, ServerCpu, stop);
        var steps = new List<KneeStep>();
        foreach (var percent in settings.Percents)
        {
            if (stop.IsCancellationRequested) break;
            steps.Add(await StepAsync(percent, Math.Max(1, capacity * percent / 100), stop));
            OnStep?.Invoke(steps[^1]);
        }

        return (capacity, steps);
    }

    private LoadSettings Load => Receiver is null ? load : load with { OnAccepted = _webhooks.NoteAccepted };

    private async Task<double> MeasureAsync(CancellationToken stop)
    {
        await ClosedAsync(stop);
        var result = await ClosedAsync(stop);
        return result.Accepted > 0
            ? result.Accepted / settings.Measure.TotalSeconds
            : throw new InvalidDataException($"{load.Server} accepted nothing; nothing can be measured.");
    }

    private async Task<LoadResult> ClosedAsync(CancellationToken stop)
    {
        using var run = new LoadRun(Load, _ => SendPlan.Closed(settings.Measure), _numbers, ledger);
        var result = await run.RunAsync(stop);
        await SettleAsync(stop);
        _webhooks.Take();
        return result;
    }

    private async Task<KneeStep> StepAsync(int percent, double rate, CancellationToken stop)
    {
        var isFresh = _isSettled;
        var (before, cpu, start) = (await probe.ReadProcessAsync(stop), ServerCpu?.Invoke(), Stopwatch.GetTimestamp());
        var threads = Math.Min(load.Threads, load.Connections);
        using var run = new LoadRun(
            Load, thread => SendPlan.Constant(rate / threads, settings.Step, (double)thread / threads), _numbers, ledger);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        end.CancelAfter(settings.Step + load.Timeout);
        var running = run.RunAsync(end.Token);
        var backlog = await new BacklogWatch(probe).WhileAsync(running);
        var result = await running;
        await SettleAsync(stop);
        var after = await probe.ReadProcessAsync(stop);
        var seen = new StepObservations(backlog, before, after, ServerCpu?.Invoke() - cpu, Receiver is null ? null : _webhooks.Take())
        {
            Elapsed = Stopwatch.GetElapsedTime(start),
            Idle = _idle,
        };
        var step = KneeStep.Of(percent, rate, settings.Step, result, seen);
        return isFresh ? step : step with { VoidReason = step.VoidReason ?? "the server still stored or delivered what came before" };
    }

    /// <summary>Waits until nothing is left to store or to deliver, no longer than the settings say.</summary>
    private async Task SettleAsync(CancellationToken stop)
    {
        _isSettled = false;
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < settings.Settle; await Task.Delay(Look, stop))
        {
            if (Receiver is not null) _webhooks.NoteArrivals(Receiver.TakeArrivals());
            _isSettled = _webhooks.Missing == 0 && await probe.ReadBacklogAsync(stop) is null or 0;
            if (_isSettled) return;
        }
    }
}
