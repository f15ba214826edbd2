using System.Collections.Concurrent;
using System.Text.Json;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Verdict;
using ZapierTriggers.Load.Core.Yardstick;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class LoadRunTests
{
    private const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";
    private const long Millisecond = 1000; // In the histogram's microseconds.

    [Fact]
    public async Task Every_request_of_an_open_plan_is_sent_answered_and_noted()
    {
        await using var bare = await BareServer.StartAsync(port: 0);
        var ledger = new Ledger();
        var settings = Settings(new Uri(bare.Urls.First()), connections: 5, threads: 2);
        using var run = new LoadRun(
            settings, i => SendPlan.Constant(500, TimeSpan.FromSeconds(0.2), i / 2.0), new RequestNumbers(), ledger);
        var result = await run.RunAsync();
        Assert.Equal((200, 200, 0), (result.Sent, result.Accepted, result.Backlog));
        Assert.Equal(200, result.Latency.TotalCount);
        Assert.Equal(Enumerable.Range(0, 200), ledger.Entries.Select(entry => entry.Content));
        Assert.All(ledger.Entries, entry => Assert.Equal((202, false), (entry.Status, entry.Id.IsZero)));
    }

    [Fact]
    public async Task A_closed_plan_keeps_every_connection_at_work()
    {
        var together = new CountdownEvent(4);
        await using var server = new StubServer(async request =>
        {
            // Answers the first four only once all four are there: they can only be on four connections.
            if (request.Index < 4) together.Signal();
            await Task.Run(() => together.Wait(TimeSpan.FromSeconds(30)));
            return [StubServer.Accepted(Id)];
        });
        using var run = new LoadRun(
            Settings(server.Url, connections: 4), _ => SendPlan.Closed(TimeSpan.FromSeconds(0.2)), new RequestNumbers());
        var result = await run.RunAsync();
        Assert.True(together.IsSet);
        Assert.Equal(result.Sent, result.Accepted);
        Assert.True(result.Accepted >= 4);
    }

    [Fact]
    public async Task A_stall_shows_in_the_latency_of_every_request_that_was_due_in_it()
    {
        // 1,000 a second over one connection; the first answer comes when 300 more are due. Those due in the first 200 ms of the stall
        // have waited 100 ms at least. A generator that counts from the sending would show one slow request.
        LoadRun? run = null;
        await using var server = new StubServer(async request =>
        {
            if (request.Index == 0) await Task.Run(() => SpinWait.SpinUntil(HasBacklog, TimeSpan.FromSeconds(30)));
            return [StubServer.Accepted(Id)];
        });
        using (run = new LoadRun(
            Settings(server.Url, connections: 1), _ => SendPlan.Constant(1000, TimeSpan.FromSeconds(0.4)), new RequestNumbers()))
        {
            var result = await run.RunAsync();
            Assert.Equal(400, result.Accepted);
            Assert.True(result.Latency.GetValueAtPercentile(60) >= 100 * Millisecond); // At most 200 of 400 may be below.
        }

        bool HasBacklog() => run!.Snapshot().Backlog >= 300;
    }

    [Fact]
    public async Task A_connection_that_breaks_leaves_its_request_unanswered_and_is_replaced()
    {
        await using var server = new StubServer(request => request.Index % 10 == 3 ? null : StubServer.Accepted(Id));
        var ledger = new Ledger();
        using var run = new LoadRun(
            Settings(server.Url, connections: 2), _ => SendPlan.Constant(500, TimeSpan.FromSeconds(0.2)), new RequestNumbers(), ledger);
        var result = await run.RunAsync();
        Assert.Equal((100, 90, 10), (result.Sent, result.Accepted, result.Unanswered));
        Assert.Equal(10, ledger.Entries.Count(entry => entry.Status == 0));
    }

    [Fact]
    public async Task An_answer_that_closes_the_connection_counts_and_the_next_request_goes_over_a_new_one()
    {
        await using var server = new StubServer(_ => StubServer.Answer(503, "{}", "Connection: close\r\n"));
        using var run = new LoadRun(
            Settings(server.Url, connections: 1), _ => SendPlan.Constant(100, TimeSpan.FromSeconds(0.1)), new RequestNumbers());
        var result = await run.RunAsync();
        Assert.Equal((10, 10, 0), (result.Sent, result.Statuses[503], result.Unanswered));
    }

    [Fact]
    public async Task A_silent_server_leaves_all_unanswered_and_the_rest_of_the_plan_unsent()
    {
        var never = new TaskCompletionSource<byte[][]?>();
        await using var server = new StubServer(_ => new ValueTask<byte[][]?>(never.Task));
        var settings = Settings(server.Url, connections: 2) with { Timeout = TimeSpan.FromSeconds(0.3) };
        using var run = new LoadRun(settings, _ => SendPlan.Constant(100, TimeSpan.FromSeconds(0.1)), new RequestNumbers());
        var result = await run.RunAsync();
        never.SetResult(null);
        Assert.Equal(0, result.Answered);
        Assert.Equal(result.Sent, result.Unanswered);
        Assert.Equal(10, result.Sent + result.Backlog);
    }

    [Fact]
    public async Task Requests_larger_than_the_sockets_buffers_arrive_whole()
    {
        var template = new EventTemplate("large", System.Text.Encoding.ASCII.GetBytes($"{{\"s\":\"{new string('x', 8_000_000)}\"}}"));
        var source = new EventSource([template], DedupMode.Unique, 1, "run00001");
        var bodies = new ConcurrentBag<byte[]>();
        await using var server = new StubServer(request =>
        {
            bodies.Add(request.Body);
            return StubServer.Accepted(Id);
        });
        var settings = Settings(server.Url, connections: 2) with { Source = source };
        using var run = new LoadRun(settings, _ => SendPlan.Constant(20, TimeSpan.FromSeconds(0.2)), new RequestNumbers());
        Assert.Equal(4, (await run.RunAsync()).Accepted);
        var contents = bodies.Select(body =>
        {
            using var json = JsonDocument.Parse(body);
            var payload = System.Text.Encoding.UTF8.GetBytes(json.RootElement.GetProperty("payload").GetRawText());
            Assert.True(source.TryFindContent(payload, out var content) && source.PayloadEquals(content, payload));
            return content;
        });
        Assert.Equal([0, 1, 2, 3], contents.Order());
    }

    [Fact]
    public async Task A_run_that_is_stopped_ends_with_what_it_has()
    {
        using var stop = new CancellationTokenSource();
        await using var server = new StubServer(request =>
        {
            if (request.Index == 5) stop.Cancel();
            return StubServer.Accepted(Id);
        });
        using var run = new LoadRun(
            Settings(server.Url, connections: 1), _ => SendPlan.Constant(100, TimeSpan.FromHours(1)), new RequestNumbers());
        var result = await run.RunAsync(stop.Token);
        Assert.InRange(result.Sent, 6, 100_000);
    }

    private static LoadSettings Settings(Uri server, int connections, int threads = 1) => new()
    {
        Server = server,
        ApiKey = "zap_live_x",
        Source = new EventSource(EventTemplates.Generate(200, 1), DedupMode.Unique, 1, "run00001"),
        Connections = connections,
        Threads = threads,
    };
}
