using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Figures;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>Fills an inbox: first what is rare (a type, failures, dead letters), then all the rest.</summary>
/// <param name="server">The server.</param>
/// <param name="account">Whose inbox.</param>
internal sealed class InboxFilling(Uri server, Account account)
{
    /// <summary>The type that few events have.</summary>
    public const string Rare = "load.rare";

    private const int ItemsPerCall = 1000;
    private const int RareEvents = 8;
    private const long EventsPerLine = 1_000_000;
    private const string Failing = "load.failing";
    private const string Dying = "load.dying";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    private string _start = "";

    /// <summary>Events answered 202.</summary>
    public long Accepted { get; private set; }

    /// <summary>Events without an answer.</summary>
    public long Unanswered { get; private set; }

    /// <summary>Some ids of the accepted ones.</summary>
    public SampledIds Ids { get; } = new();

    /// <summary>Ids of those that became dead letters.</summary>
    public IReadOnlyList<string> Dead { get; private set; } = [];

    /// <summary>Ids of those that will be tried again, a day later.</summary>
    public IReadOnlyList<string> Retrying { get; private set; } = [];

    /// <summary>Fills it with so many events, and waits until all are stored and the webhooks of the rare ones have failed.</summary>
    /// <exception cref="TimeoutException">That took over half an hour.</exception>
    public async Task RunAsync(int events, int connections, IReadOnlyList<EventTemplate> templates, CancellationToken stop)
    {
        _start = await ListAsync("order=desc&limit=1", stop) is [var newest, ..] ? $"&cursor={newest}" : "";
        using var failing = new FastReceiver(Manner.Fails);
        await AddEndpointAsync(failing.Url, Failing, [24 * 60 * 60], stop);
        await AddEndpointAsync(failing.Url, Dying, [], stop);
        foreach (var type in (string[])[Rare, Failing, Dying]) await SendAsync(
            RareEvents, 1, [.. templates.Select(one => one with { Type = type })], stop);
        await UntilAsync(
            async () =>
            {
                (Retrying, Dead) = (await OwnAsync("&status=failed", stop), await OwnAsync("&status=dead_letter", stop));
                return Retrying.Count >= RareEvents && Dead.Count >= RareEvents;
            },
            stop);
        var start = Stopwatch.GetTimestamp();
        while (Accepted < events && !stop.IsCancellationRequested)
        {
            var (before, wanted) = (Accepted, Math.Min(events - Accepted, EventsPerLine));
            await SendAsync(wanted, connections, templates, stop);
            if (Accepted - before < wanted) await Task.Delay(Look, stop); // The journal's bound: the store is behind.
            if (Accepted == before && Stopwatch.GetElapsedTime(start) > Patience)
                throw new TimeoutException("The server takes no more events.");
            if (Accepted / EventsPerLine > before / EventsPerLine) Tell(start, $"{Accepted:N0} of {events:N0} events accepted");
        }

        await AwaitStoredAsync(start, stop);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine($"filled    {Accepted:N0} events, the last of them stored after {seconds:N0} s");
    }

    /// <summary>Pages of ids of what has come since the filling began, at most so many, from the oldest on.</summary>
    public async Task<Queue<string[]>> OldestAsync(int count, CancellationToken stop)
    {
        var (pages, cursor) = (new Queue<string[]>(), _start);
        while (pages.Count < count)
        {
            var ids = await ListAsync($"order=asc&limit=1000{cursor}", stop);
            if (ids.Length == 0) break;
            pages.Enqueue(ids);
            cursor = $"&cursor={ids[^1]}";
        }

        return pages;
    }

    private async Task AwaitStoredAsync(long start, CancellationToken stop)
    {
        var probe = new ServerProbe(account.Client);
        var told = long.MaxValue;
        await UntilAsync(
            async () =>
            {
                if (await probe.ReadBacklogAsync(stop) is not (> 0 and var left)) return true;
                if (left / EventsPerLine < told) Tell(start, $"{left:N0} events not stored yet");
                told = Math.Min(told, left / EventsPerLine);
                return false;
            },
            stop);
    }

    private static void Tell(long start, string progress) =>
        Console.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds,6:N0} s  {progress}");

    private async Task SendAsync(long events, int connections, IReadOnlyList<EventTemplate> templates, CancellationToken stop)
    {
        var run = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        var source = new EventSource(templates, DedupMode.None, seed: 1, run);
        var settings = new LoadSettings { Server = server, ApiKey = account.Key, Source = source, Connections = connections };
        var figures = await new BatchRun(settings, ItemsPerCall, Ids).RunAsync(events, stop);
        Accepted += figures.Items[202];
        Unanswered += figures.Items[0];
        if (figures.Items[429] > 0) throw new UsageException("The organization's rate limit was met: give --admin-token.");
    }

    private async Task AddEndpointAsync(Uri url, string type, int[] schedule, CancellationToken stop)
    {
        var body = new { url = url.ToString(), event_types = new[] { type }, retry_schedule = schedule };
        using var answer = await account.Client.PostAsJsonAsync("/api/endpoints", body, stop);
        await WebhookRefusal.ThrowIfRefusedAsync(answer, url);
    }

    private Task<string[]> OwnAsync(string filter, CancellationToken stop) => ListAsync($"order=asc&limit=1000{_start}{filter}", stop);

    private async Task<string[]> ListAsync(string query, CancellationToken stop)
    {
        var page = await account.Client.GetFromJsonAsync<JsonElement>($"/api/inbox?{query}", stop);
        return [.. page.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("id").GetString()!)];
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, CancellationToken stop)
    {
        for (var start = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(Look, stop))
        {
            if (Stopwatch.GetElapsedTime(start) > Patience) throw new TimeoutException("The server did not store or deliver in time.");
        }
    }
}
