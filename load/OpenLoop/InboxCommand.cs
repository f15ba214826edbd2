using System.Diagnostics;
using System.Text.Json;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>
/// <c>inbox</c>: fills one organization with events and times what a reader asks. What is rare (a type, failures, dead letters,
/// acknowledgements) is oldest, so that a query that scans meets it last.
/// </summary>
internal sealed class InboxCommand
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Settling = TimeSpan.FromMinutes(1);
    private static readonly string[] Statuses = ["pending", "delivered", "failed", "dead_letter"];

    private readonly HttpClient _client;
    private readonly InboxFilling _filling;
    private readonly TimedCalls _calls;
    private readonly int _times;
    private readonly Random _random;
    private readonly HashSet<string> _acknowledged = new(StringComparer.Ordinal);

    private InboxCommand(HttpClient client, InboxFilling filling, TimedCalls calls, int times, int seed) =>
        (_client, _filling, _calls, _times, _random) = (client, filling, calls, times, new Random(seed));

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
        var before = await ServerLedger.ReadWithOperationalAsync(account.Client, stop);
        var filling = new InboxFilling(server, account);
        var calls = new TimedCalls(times, isJudged: !isShort);
        var command = new InboxCommand(account.Client, filling, calls, times, seed);
        await filling.RunAsync(events, connections, EventTemplates.Generate(size, seed), stop);
        TimedCalls.PrintHead();
        await command.ReadAsync(stop);
        await command.AcknowledgeAsync(stop);
        return await command.AuditAsync(before, isAlone: key is null, stop) && calls.IsGood ? ExitCode.Success : ExitCode.Verdict;
    }

    private async Task ReadAsync(CancellationToken stop)
    {
        await TimeAsync("newest page", () => "/api/inbox", stop);
        await TimeAsync("a page deep by cursor, newest first", () => $"/api/inbox?cursor={AnyId()}", stop);
        await TimeAsync("a page deep by cursor, oldest first", () => $"/api/inbox?order=asc&cursor={AnyId()}", stop);
        await TimeAsync("oldest page", () => "/api/inbox?order=asc", stop);
        foreach (var status in Statuses) await TimeAsync($"status {status}", () => $"/api/inbox?status={status}", stop);
        await TimeAsync("status pending, oldest first", () => "/api/inbox?order=asc&status=pending", stop);
        await TimeAsync("a rare type", () => $"/api/inbox?type={InboxFilling.Rare}", stop);
        await TimeAsync("a common type", () => "/api/inbox?type=load.kind_3", stop);
    }

    /// <summary>Acknowledges single events anywhere, and thousands from the oldest on; then reads what that has made harder.</summary>
    private async Task AcknowledgeAsync(CancellationToken stop)
    {
        await _calls.RunAsync("ack of one", async () =>
        {
            var id = AnyId();
            using var answer = await _client.PostAsync($"/api/ack/{id}", content: null, stop);
            answer.EnsureSuccessStatusCode();
            _acknowledged.Add(id);
        });
        var pages = await _filling.OldestAsync(_times, stop);
        foreach (var page in pages) _acknowledged.UnionWith(page);
        await _calls.RunAsync(
            "ack of 1,000",
            async () =>
            {
                using var answer = await _client.PostAsJsonAsync("/api/inbox/ack", new { event_ids = pages.Dequeue() }, stop);
                answer.EnsureSuccessStatusCode();
            },
            often: pages.Count);
        foreach (var status in Statuses) await TimeAsync($"status {status}, then", () => $"/api/inbox?status={status}", stop);
        await SettleAsync(stop);
        await TimeAsync("status pending, oldest first, then", () => "/api/inbox?order=asc&status=pending", stop);
        await _calls.GetAsync(
            _client, "include=total", () => "/api/inbox?limit=1&include=total", stop, isInformative: true, often: Math.Min(_times, 5));
    }

    /// <summary>
    /// Asks for the oldest pending events until an answer is fast: the first pages pass over what was acknowledged, and have the server
    /// move its mark in the background. After <see cref="Settling"/> the judgement begins in any case.
    /// </summary>
    private async Task SettleAsync(CancellationToken stop)
    {
        var (begin, taken) = (Stopwatch.GetTimestamp(), TimeSpan.MaxValue);
        while (taken.TotalMilliseconds > TimedCalls.BarMilliseconds && Stopwatch.GetElapsedTime(begin) < Settling)
        {
            var start = Stopwatch.GetTimestamp();
            using var answer = await _client.GetAsync("/api/inbox?order=asc&status=pending", stop);
            await answer.Content.ReadAsByteArrayAsync(stop);
            taken = Stopwatch.GetElapsedTime(start);
            await Task.Delay(Look, stop);
        }

        Console.WriteLine($"settled   the oldest pending page came to be fast after {Stopwatch.GetElapsedTime(begin).TotalSeconds:N1} s");
    }

    private Task TimeAsync(string name, Func<string> path, CancellationToken stop) => _calls.GetAsync(_client, name, path, stop);

    private string AnyId() => _filling.Ids.Any(_random);

    /// <summary>The server's own ledger: everything accepted is there, once, and where the run has left it.</summary>
    private async Task<bool> AuditAsync(ServerLedger before, bool isAlone, CancellationToken stop)
    {
        var now = await ServerLedger.ReadWithOperationalAsync(_client, stop);
        var since = now.Since(before);
        var expected = new ExpectedPlaces(
            _filling.Accepted, _filling.Unanswered, _acknowledged.Count, Left(_filling.Dead), Left(_filling.Retrying));
        var differences = expected.Differences(since, isAlone).ToList();
        var page = await _client.GetFromJsonAsync<JsonElement>("/api/inbox?limit=1&include=total", stop);
        var listed = page.GetProperty("total").GetInt64();
        if (listed != now.Accepted - now.Gone) differences.Add($"listed {listed:N0}, not {now.Accepted - now.Gone:N0}");

        Console.WriteLine($"audit     answered 202 {_filling.Accepted:N0}, without an answer {_filling.Unanswered:N0}; "
            + $"ledger {since.Accepted:N0} with {since.Operational:N0} that the server itself tells, listed {listed:N0}");
        Console.WriteLine($"          acknowledged {since.Acknowledged:N0}, pending {since.Pending:N0}, retrying {since.Retrying:N0}, "
            + $"dead {since.Dead:N0}, delivered {since.Delivered:N0}: {(differences.Count == 0 ? "exact" : "NOT EXACT")}");
        foreach (var difference in differences) Console.WriteLine($"          {difference}");
        Console.WriteLine(AuditReport.VerdictLine(differences.Count == 0));
        return differences.Count == 0;

        long Left(IReadOnlyList<string> ids) => ids.Count(id => !_acknowledged.Contains(id));
    }
}
