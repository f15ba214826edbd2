using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Npgsql;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.EndToEnd;

/// <summary>
/// Eight producers, pollers in both directions with small pages, restarts of the server, and a database that holds its commits back for
/// moments: a poller that goes on from its cursor sees each event once, in order, and in the end all that was answered; one that goes back
/// from the newest sees all that was answered before it began.
/// </summary>
public sealed class OrderUnderLoad
{
    private const int ProducerCount = 8;
    private const int EventsEach = 150;
    private const int Restarts = 2;

    [Fact]
    public async Task Pollers_miss_nothing_in_Sqlite()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        await RunAsync(server, async meanwhile =>
        {
            await using var connection = new SqliteConnection($"Data Source={Path.Combine(server.DataDirectory, "events.db")}");
            await connection.OpenAsync();
            await using var transaction = connection.BeginTransaction(deferred: false);
            await meanwhile();
        });
    }

    [Fact]
    public async Task Pollers_miss_nothing_in_Postgres()
    {
        var schema = await PostgresServer.CreateSchemaAsync("order");
        try
        {
            await using var server = await ServerUnderTest.StartOnAsync(schema);
            await RunAsync(server, async meanwhile =>
            {
                await using var connection = new NpgsqlConnection(schema);
                await connection.OpenAsync();
                await using var transaction = await connection.BeginTransactionAsync();
                await using (var command = new NpgsqlCommand("LOCK TABLE shards IN SHARE MODE", connection)) await command.ExecuteNonQueryAsync();
                await meanwhile();
            });
        }
        finally
        {
            await PostgresServer.DropSchemaAsync(schema);
        }
    }

    private static async Task RunAsync(ServerUnderTest server, Func<Func<Task>, Task> holdCommits)
    {
        var tenant = await server.NewTenantAsync();
        var answered = new ConcurrentDictionary<string, int>();
        using var done = new CancellationTokenSource();
        var seen = new List<string>();
        var ascending = PollUpAsync(tenant, seen, () => done.IsCancellationRequested);
        var descending = PollDownAsync(tenant, answered, () => done.IsCancellationRequested);
        var producing = Task.WhenAll(Enumerable.Range(0, ProducerCount).Select(producer => ProduceAsync(tenant, producer, answered)));

        for (var round = 1; round <= Restarts; round++)
        {
            var goal = round * ProducerCount * EventsEach / (Restarts + 1);
            await Poll.UntilAsync(() => answered.Count >= goal, "some events are answered");
            await holdCommits(() => Poll.UntilAsync(
                () => answered.Count >= goal + 60 || producing.IsCompleted, "events are answered while commits are held"));
            await server.StopAsync();
            await server.StartAsync();
        }

        await producing;
        await done.CancelAsync();
        await ascending;
        await descending;

        Assert.Equal(seen.Order(StringComparer.Ordinal).Distinct(), seen);
        Assert.Empty(answered.Keys.Except(seen));
        Assert.Equal(ProducerCount * EventsEach, answered.Count);
        Assert.Equal(seen, (await tenant.ReadInboxAsync()).Select(static found => found.Id));
    }

    /// <summary>Sends one event after the other; one whose answer does not come is sent no more.</summary>
    private static async Task ProduceAsync(Tenant tenant, int producer, ConcurrentDictionary<string, int> answered)
    {
        for (var (number, left) = (0, EventsEach); left > 0; number++)
        {
            var body = new JsonObject { ["type"] = "order", ["payload"] = new JsonObject { ["producer"] = producer, ["number"] = number } }.ToJsonString();
            if (await TryAsync(() => tenant.PostEventAsync(body)) is not { } reply) continue;
            if (reply.Status == 503) continue; // it starts, or stops
            answered[reply.Accepted()] = producer;
            left--;
        }
    }

    /// <summary>Goes on from its cursor, to the end of what is there when it is done.</summary>
    private static async Task PollUpAsync(Tenant tenant, List<string> seen, Func<bool> isDone)
    {
        for (var isAtEnd = false; !isAtEnd;)
        {
            var isLast = isDone();
            var cursor = seen.Count == 0 ? "" : $"&cursor={seen[^1]}";
            if (await TryAsync(() => tenant.GetAsync($"/api/inbox?order=asc&limit=7{cursor}")) is not { Status: 200 } page) continue;
            var found = InboxEvent.ReadPage(page.Bytes);
            seen.AddRange(found.Select(static found => found.Id));
            isAtEnd = isLast && found.Count == 0;
        }
    }

    /// <summary>Goes from the newest back, again and again.</summary>
    private static async Task PollDownAsync(Tenant tenant, ConcurrentDictionary<string, int> answered, Func<bool> isDone)
    {
        while (!isDone())
        {
            var before = answered.Keys.ToList();
            var seen = new List<string>();
            var isWhole = false;
            while (!isWhole)
            {
                var cursor = seen.Count == 0 ? "" : $"&cursor={seen[^1]}";
                if (await TryAsync(() => tenant.GetAsync($"/api/inbox?limit=100{cursor}")) is not { Status: 200 } page) break;
                seen.AddRange(InboxEvent.ReadPage(page.Bytes).Select(static found => found.Id));
                isWhole = !(bool)page.Json["has_more"]!;
            }

            if (!isWhole) continue;
            Assert.Equal(seen.OrderDescending(StringComparer.Ordinal).Distinct(), seen);
            Assert.Empty(before.Except(seen));
        }
    }

    /// <summary>Null when the server went away under it.</summary>
    private static async Task<Reply?> TryAsync(Func<Task<Reply>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception error) when (error is HttpRequestException or ObjectDisposedException or OperationCanceledException)
        {
            await Task.Yield();
            return null;
        }
    }
}
