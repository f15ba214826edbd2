using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>One round of deliveries.</summary>
/// <param name="Rate">Deliveries a second, from the first arrival to the last.</param>
/// <param name="Cpu">CPU time of the server from the last acceptance until all outcomes are recorded.</param>
/// <param name="RecordedAfter">From the last arrival until its outcome, and those just before it, can be read.</param>
/// <param name="IsVoid">Whether deliveries began before all events were accepted: then accepting was measured too.</param>
internal sealed record WebhookRound(double Rate, TimeSpan Cpu, TimeSpan RecordedAfter, bool IsVoid);

/// <summary>
/// Measures one organization's webhooks to one receiver. Events are accepted first, while the endpoint is paused by the receiver itself
/// (429 with Retry-After, to one event posted for it), so that a round measures deliveries alone.
/// </summary>
/// <param name="settings">What is sent where.</param>
/// <param name="client">A client with the server's address and the organization's key.</param>
/// <param name="receiver">Where the organization's webhooks go.</param>
/// <param name="ledger">Where each event is noted.</param>
/// <param name="serverCpu">The server's CPU time so far.</param>
internal sealed class WebhookRun(LoadSettings settings, HttpClient client, FastReceiver receiver, Ledger ledger, Func<TimeSpan> serverCpu)
{
    // Results are recorded nearly in the order of arrival: those in flight at a time may overtake each other.
    private const int LastOnes = 64;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly RequestNumbers _numbers = new();
    private readonly List<Arrival> _arrivals = [];
    private readonly HashSet<EventId> _arrived = [];

    /// <summary>All webhooks taken so far.</summary>
    public IEnumerable<Delivery> Deliveries => _arrivals.Select(arrival => arrival.Delivery);

    /// <summary>Accepts events while the endpoint is paused for so many seconds, then measures their delivery.</summary>
    /// <exception cref="TimeoutException">Nothing came for a minute.</exception>
    public async Task<WebhookRound> RoundAsync(int count, int holdSeconds, CancellationToken stop)
    {
        // 1. The pause. The event that it costs comes again after it and counts for nothing.
        var taken = receiver.Taken;
        receiver.HoldNext(holdSeconds);
        await new LatencyProbe(settings, _numbers, ledger).RunAsync(1, TimeSpan.FromSeconds(1), stop);
        await UntilAsync(() => receiver.Taken > taken, stop);
        await Task.Delay(50, stop); // The sender has still to read the answer.

        // 2. Acceptance: all are due within the first millisecond.
        var first = _numbers.Given;
        var plan = SendPlan.Constant(count * 1000.0, TimeSpan.FromMilliseconds(1));
        using (var run = new LoadRun(settings with { Threads = 1, Timeout = Patience }, _ => plan, _numbers, ledger))
            await run.RunAsync(stop);

        await UntilStoredAsync(stop);
        var isVoid = receiver.Count > 0;

        // 3. Delivery.
        var wanted = ledger.Entries.Skip((int)first).Where(entry => entry.Status == 202).Select(entry => entry.Id).ToHashSet();
        var cpu = serverCpu();
        await WaitForAsync(wanted, stop);
        var times = _arrivals.Where(arrival => wanted.Contains(arrival.Delivery.EventId)).ToList();
        var elapsed = Stopwatch.GetElapsedTime(times[0].Timestamp, times[^1].Timestamp);

        // 4. Outcomes.
        foreach (var arrival in times.TakeLast(LastOnes)) await UntilRecordedAsync(arrival.Delivery.EventId, stop);
        var recordedAfter = Stopwatch.GetElapsedTime(times[^1].Timestamp);
        return new WebhookRound((wanted.Count - 1) / elapsed.TotalSeconds, (serverCpu() - cpu) / wanted.Count, recordedAfter, isVoid);
    }

    /// <summary>Posts one event at a time, at a rate; from each answer to the receiver's arrival.</summary>
    /// <exception cref="TimeoutException">Nothing came for a minute.</exception>
    public async Task<LatencySummary> LatencyAsync(double rate, TimeSpan duration, CancellationToken stop)
    {
        var answered = await new LatencyProbe(settings, _numbers, ledger).RunAsync(rate, duration, stop);
        await WaitForAsync(answered.Keys, stop);
        var latencies = new Dictionary<EventId, TimeSpan>();
        foreach (var (delivery, timestamp) in _arrivals)
        {
            // An event can be there before its answer is read.
            if (answered.TryGetValue(delivery.EventId, out var at))
                latencies.TryAdd(delivery.EventId, timestamp > at ? Stopwatch.GetElapsedTime(at, timestamp) : TimeSpan.Zero);
        }

        return LatencySummary.Of(latencies.Values);
    }

    /// <summary>Waits for all events accepted; returns how many of them the inbox lists as delivered.</summary>
    /// <exception cref="TimeoutException">Nothing came for a minute.</exception>
    public async Task<(long Accepted, long Recorded)> FinishAsync(CancellationToken stop)
    {
        var accepted = ledger.Entries.Where(entry => entry.Status == 202).Select(entry => entry.Id).ToHashSet();
        await WaitForAsync(accepted, stop);
        foreach (var arrival in _arrivals.TakeLast(LastOnes)) await UntilRecordedAsync(arrival.Delivery.EventId, stop);
        var page = await client.GetFromJsonAsync<JsonElement>("/api/inbox?status=delivered&include=total&limit=1", stop);
        return (accepted.Count, page.GetProperty("total").GetInt64());
    }

    private async Task WaitForAsync(IReadOnlyCollection<EventId> ids, CancellationToken stop)
    {
        while (true)
        {
            Collect();
            var missing = ids.Count(id => !_arrived.Contains(id));
            if (missing == 0) return;
            // At least as many must come; others may come in between, so look again then.
            await UntilAsync(() => receiver.Count >= missing, stop);
        }
    }

    private void Collect()
    {
        foreach (var arrival in receiver.TakeArrivals())
        {
            _arrivals.Add(arrival);
            _arrived.Add(arrival.Delivery.EventId);
        }
    }

    /// <summary>The inbox answers when all that was accepted is stored, and 503 when that takes it too long.</summary>
    private async Task UntilStoredAsync(CancellationToken stop)
    {
        for (var start = Stopwatch.GetTimestamp(); ; await Task.Delay(Look, stop))
        {
            using var answer = await client.GetAsync("/api/inbox?limit=1", stop);
            if (answer.IsSuccessStatusCode) return;
            if (Stopwatch.GetElapsedTime(start) > Patience)
                throw new TimeoutException($"The inbox answered {(int)answer.StatusCode} for {Patience.TotalSeconds:N0} s.");
        }
    }

    private async Task UntilRecordedAsync(EventId id, CancellationToken stop)
    {
        for (var start = Stopwatch.GetTimestamp(); ; await Task.Delay(Look, stop))
        {
            var answer = await client.GetFromJsonAsync<JsonElement>($"/api/events/{id}", stop);
            if (answer.GetProperty("status").GetString() == "delivered") return;
            if (Stopwatch.GetElapsedTime(start) > Patience)
                throw new TimeoutException($"Event {id} was received, but that is not recorded.");
        }
    }

    /// <summary>Looks often, with patience as long as something comes.</summary>
    private async Task UntilAsync(Func<bool> condition, CancellationToken stop)
    {
        var (start, count) = (Stopwatch.GetTimestamp(), receiver.Count);
        for (; !condition(); await Task.Delay(Look, stop))
        {
            if (receiver.Count != count) (start, count) = (Stopwatch.GetTimestamp(), receiver.Count);
            if (Stopwatch.GetElapsedTime(start) > Patience)
                throw new TimeoutException($"No webhook came for {Patience.TotalSeconds:N0} s.");
        }
    }
}
