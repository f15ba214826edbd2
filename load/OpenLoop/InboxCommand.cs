using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Figures;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>
/// <c>inbox</c>: fills one organization with events and times what a reader asks. What is rare (a type, failures, dead letters,
/// acknowledgements) is oldest, so that a query that scans meets it last.
/// </summary>
internal sealed class InboxCommand
{
    private const double BarMilliseconds = 50;
    private const int ItemsPerCall = 1000;
    private const int RareEvents = 8;
    private const string Rare = "load.rare";
    private const string Failing = "load.failing";
    private const string Dying = "load.dying";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Settling = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    private readonly Uri _server;
    private readonly Account _account;
    private readonly int _times;
    private readonly SampledIds _ids = new();
    private readonly Random _random;
    private long _accepted;
    private bool _isGood = true;

    private InboxCommand(Uri server, Account account, int times, int seed) =>
        (_server, _account, _times, _random) = (server, account, times, new Random(seed));

    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var isShort = arguments.Flag("--short");
        var server = arguments.Url("--url", "http://localhost:8080");
        var events = arguments.Count("--events", isShort ? 20_000 : 10_000_000);
        var times = arguments.Count("--times", isShort ? 5 : 100);
        var connections = arguments.Count("--connections", 4);
        var seed = arguments.Count("--seed", 1);
        var size = arguments.Count("--size", 200);
        var (key, token) = (arguments.Text("--key"), arguments.Text("--admin-token"));
        arguments.RefuseOthers();

        using var account = await Account.OpenAsync(server, key, token, "load-inbox");
        var command = new InboxCommand(server, account, times, seed);
        await command.FillAsync(events, connections, EventTemplates.Generate(size, seed), stop);
        Console.WriteLine("what                                            times      p50       p99    worst");
        await command.ReadAsync(isShort, stop);
        await command.AcknowledgeAsync(isShort, stop);
        return await command.AuditAsync(stop) && command._isGood ? ExitCode.Success : ExitCode.Verdict;
    }

    /// <summary>The rare events, whose webhooks fail, and then the rest.</summary>
    private async Task FillAsync(int events, int connections, IReadOnlyList<EventTemplate> templates, CancellationToken stop)
    {
        using var failing = new FastReceiver(Manner.Fails);
        await AddEndpointAsync(failing.Url, Failing, [24 * 60 * 60], stop);
        await AddEndpointAsync(failing.Url, Dying, [], stop);
        foreach (var type in (string[])[Rare, Failing, Dying]) await SendAsync(
            RareEvents, 1, [.. templates.Select(one => one with { Type = type })], stop);
        await UntilAsync(
            async () => await CountAsync("failed", stop) >= RareEvents && await CountAsync("dead_letter", stop) >= RareEvents, stop);
        var start = Stopwatch.GetTimestamp();
        while (_accepted < events && !stop.IsCancellationRequested)
        {
            var before = _accepted;
            await SendAsync(events - _accepted, connections, templates, stop);
            if (_accepted < events) await Task.Delay(Look, stop); // The journal's bound: the store is behind.
            if (_accepted == before && Stopwatch.GetElapsedTime(start) > Patience)
                throw new TimeoutException("The server takes no more events.");
        }

        var probe = new ServerProbe(_account.Client);
        await UntilAsync(async () => await probe.ReadBacklogAsync(stop) is null or 0, stop);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine($"filled    {_accepted:N0} events, the last of them stored after {seconds:N0} s");
    }

    private async Task SendAsync(long events, int connections, IReadOnlyList<EventTemplate> templates, CancellationToken stop)
    {
        var run = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        var source = new EventSource(templates, DedupMode.None, seed: 1, run);
        var settings = new LoadSettings { Server = _server, ApiKey = _account.Key, Source = source, Connections = connections };
        var figures = await new BatchRun(settings, ItemsPerCall, _ids).RunAsync(events, stop);
        _accepted += figures.Items[202];
        if (figures.Items[429] > 0) throw new UsageException("The organization's rate limit was met: give --admin-token.");
    }

    private async Task AddEndpointAsync(Uri url, string type, int[] schedule, CancellationToken stop)
    {
        var body = new { url = url.ToString(), event_types = new[] { type }, retry_schedule = schedule };
        using var answer = await _account.Client.PostAsJsonAsync("/api/endpoints", body, stop);
        await WebhookRefusal.ThrowIfRefusedAsync(answer, url);
    }

    private async Task ReadAsync(bool isShort, CancellationToken stop)
    {
        await TimeAsync("newest page", () => "/api/inbox", isShort, stop);
        await TimeAsync("a page deep by cursor, newest first", () => $"/api/inbox?cursor={AnyId()}", isShort, stop);
        await TimeAsync("a page deep by cursor, oldest first", () => $"/api/inbox?order=asc&cursor={AnyId()}", isShort, stop);
        await TimeAsync("oldest page", () => "/api/inbox?order=asc", isShort, stop);
        foreach (var status in (string[])["pending", "delivered", "failed", "dead_letter"])
            await TimeAsync($"status {status}", () => $"/api/inbox?status={status}", isShort, stop);
        await TimeAsync("status pending, oldest first", () => "/api/inbox?order=asc&status=pending", isShort, stop);
        await TimeAsync("a rare type", () => $"/api/inbox?type={Rare}", isShort, stop);
        await TimeAsync("a common type", () => "/api/inbox?type=load.kind_3", isShort, stop);
    }

    /// <summary>Acknowledges single events anywhere, and thousands from the oldest on; then reads what that has made harder.</summary>
    private async Task AcknowledgeAsync(bool isShort, CancellationToken stop)
    {
        await TimeAsync("ack of one", async () =>
        {
            using var answer = await _account.Client.PostAsync($"/api/ack/{AnyId()}", content: null, stop);
            answer.EnsureSuccessStatusCode();
        }, isJudged: !isShort);
        var cursor = "";
        var pages = new Queue<string[]>();
        for (var page = 0; page < _times; page++)
        {
            var listed = await _account.Client.GetFromJsonAsync<JsonElement>($"/api/inbox?order=asc&limit=1000{cursor}", stop);
            string[] ids = [.. listed.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("id").GetString()!)];
            if (ids.Length == 0) break;
            pages.Enqueue(ids);
            cursor = $"&cursor={ids[^1]}";
        }

        await TimeAsync("ack of 1,000", async () =>
        {
            using var answer = await _account.Client.PostAsJsonAsync("/api/inbox/ack", new { event_ids = pages.Dequeue() }, stop);
            answer.EnsureSuccessStatusCode();
        }, isJudged: !isShort, pages.Count);
        foreach (var status in (string[])["pending", "delivered", "failed", "dead_letter"])
            await TimeAsync($"status {status}, then", () => $"/api/inbox?status={status}", isShort, stop);
        await SettleAsync(stop);
        await TimeAsync("status pending, oldest first, then", () => "/api/inbox?order=asc&status=pending", isShort, stop);
        await TimeAsync(
            "include=total", () => "/api/inbox?limit=1&include=total", isShort, stop, isInformative: true, times: Math.Min(_times, 5));
    }

    /// <summary>
    /// Asks for the oldest pending events until an answer is fast: the first pages pass over what was acknowledged, and have the server move
    /// its mark in the background. After <see cref="Settling"/> the judgement begins in any case.
    /// </summary>
    private async Task SettleAsync(CancellationToken stop)
    {
        var (begin, taken) = (Stopwatch.GetTimestamp(), TimeSpan.MaxValue);
        while (taken.TotalMilliseconds > BarMilliseconds && Stopwatch.GetElapsedTime(begin) < Settling)
        {
            var start = Stopwatch.GetTimestamp();
            using var answer = await _account.Client.GetAsync("/api/inbox?order=asc&status=pending", stop);
            await answer.Content.ReadAsByteArrayAsync(stop);
            taken = Stopwatch.GetElapsedTime(start);
            await Task.Delay(Look, stop);
        }

        Console.WriteLine($"settled   the oldest pending page came to be fast after {Stopwatch.GetElapsedTime(begin).TotalSeconds:N1} s");
    }

    private Task TimeAsync(string name, Func<string> path, bool isShort, CancellationToken stop, bool isInformative = false, int? times = null) => TimeAsync(
        name,
        async () =>
        {
            using var answer = await _account.Client.GetAsync(path(), stop);
            await answer.Content.ReadAsByteArrayAsync(stop);
            if (!answer.IsSuccessStatusCode) throw new InvalidDataException($"{path()} was answered {(int)answer.StatusCode}.");
        },
        isJudged: !isShort && !isInformative,
        times);

    private async Task TimeAsync(string name, Func<Task> call, bool isJudged, int? times = null)
    {
        var taken = new List<TimeSpan>();
        for (var number = 0; number < (times ?? _times); number++)
        {
            var start = Stopwatch.GetTimestamp();
            await call();
            taken.Add(Stopwatch.GetElapsedTime(start));
        }

        var summary = LatencySummary.Of(taken);
        var isMet = summary.P99 <= BarMilliseconds;
        _isGood &= isMet || !isJudged;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-46} {summary.Count,6} {summary.P50,8:F2} {summary.P99,9:F2} {taken.Max().TotalMilliseconds,8:F2} ms  {(isJudged ? isMet ? "PASS" : "FAIL" : "not judged")}"));
    }

    private string AnyId() => _ids.Any(_random);

    private async Task<long> CountAsync(string status, CancellationToken stop)
    {
        var page = await _account.Client.GetFromJsonAsync<JsonElement>($"/api/inbox?limit=1000&order=asc&status={status}", stop);
        return page.GetProperty("count").GetInt64();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, CancellationToken stop)
    {
        for (var start = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(Look, stop))
        {
            if (Stopwatch.GetElapsedTime(start) > Patience) throw new TimeoutException("The server did not store or deliver in time.");
        }
    }

    /// <summary>The server's own ledger: everything accepted is there, once, and adds up.</summary>
    private async Task<bool> AuditAsync(CancellationToken stop)
    {
        var ledger = await _account.Client.GetFromJsonAsync<JsonElement>("/api/ledger", stop);
        long Of(string name) => ledger.GetProperty(name).GetInt64();
        var listed = (await _account.Client.GetFromJsonAsync<JsonElement>("/api/inbox?limit=1&include=total", stop)).GetProperty("total").GetInt64();

        // A dead letter tells its organization of itself, in the same inbox.
        var told = Of("accepted") - _accepted;
        var isGood = ledger.GetProperty("balanced").GetBoolean() && listed == Of("accepted") && told >= 0 && told <= 2 * RareEvents + 2;
        Console.WriteLine($"audit     answered 202 {_accepted:N0}; ledger {Of("accepted"):N0} with {told:N0} that the server itself tells, listed {listed:N0}, acknowledged {Of("acknowledged"):N0}");
        Console.WriteLine(isGood ? "verdict   PASS" : "verdict   FAIL");
        return isGood;
    }
}
