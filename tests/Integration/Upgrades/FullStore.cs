using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Upgrades;

/// <summary>An organization that has something of everything: a row in every table of the store.</summary>
internal sealed record FullStore
{
    /// <summary>Its id.</summary>
    public required string OrganizationId { get; init; }

    /// <summary>A key with all scopes.</summary>
    public required string Key { get; init; }

    /// <summary>Its events' ids in order, without those that were erased or set aside.</summary>
    public required IReadOnlyList<string> Ids { get; init; }

    /// <summary>The id of the event with the dedup id "once".</summary>
    public required string Once { get; init; }

    /// <summary>The id of the dead letter.</summary>
    public required string Dead { get; init; }

    /// <summary>A disabled endpoint, for which events wait.</summary>
    public required string Waiting { get; init; }

    /// <summary>An erasure that is done.</summary>
    public required string Erasure { get; init; }

    /// <summary>Makes it. Webhooks go to the receiver, which is told how to answer.</summary>
    public static async Task<FullStore> MakeAsync(ServerUnderTest server, Receiver receiver)
    {
        receiver.Answer = AnswerAsync;
        var tenant = await server.NewTenantAsync("pro", "Größe & Co");
        await server.SetLimitAsync(tenant, limit: 100_000);
        await tenant.SetWebhookAsync(receiver.Url);
        await NewEndpointAsync(tenant, receiver.Url + "/dead", """["is.dead"]""", "[]");
        await NewEndpointAsync(tenant, receiver.Url + "/slow", """["is.slow"]""", "[1,604800]");
        var waiting = await NewEndpointAsync(tenant, receiver.Url + "/waiting", """["is.waiting"]""", "[1]");
        Assert.Equal(200, (await tenant.PatchAsync($"/api/endpoints/{waiting}", """{"enabled":false}""")).Status);
        Assert.Equal(201, (await tenant.PostAsync("/api/keys", """{"name":"reader","scopes":["inbox:read"],"expires_at":null}""")).Status);

        var ids = new List<string>();
        for (var n = 0; n < 5; n++) ids.Add(await SendAsync(tenant, "a", n));
        var once = await SendAsync(tenant, "ü", 5, "once");
        var dead = await SendAsync(tenant, "is.dead", 6);
        ids.AddRange([once, dead, await SendAsync(tenant, "is.slow", 7), await SendAsync(tenant, "is.waiting", 8)]);
        var erased = await SendAsync(tenant, "a", 9, "erased");
        await RefuseOneAsync(server, tenant);
        Assert.Equal(200, (await tenant.PostAsync("/api/inbox/ack", $$"""{"event_ids":["{{ids[0]}}"]}""")).Status);
        var answer = await tenant.SendAsync(
            HttpMethod.Delete, "/api/events", Encoding.UTF8.GetBytes($$"""{"event_ids":["{{erased}}"]}"""), ("X-API-Key", tenant.Key));
        Assert.True(answer.Status == 200, answer.Text);

        await Poll.UntilAsync(
            async () => (await tenant.GetAsync("/api/dead-letters")).Text.Contains(dead, StringComparison.Ordinal), "the dead letter");
        await UntilAsync(server, "SELECT count(*) FROM outcomes WHERE status = 1", 7, "deliveries");
        await UntilAsync(server, "SELECT count(*) FROM retries WHERE attempts = 2", 1, "a failed try and a long wait");
        var replay = await tenant.PostAsync($"/api/endpoints/{waiting}/recover", """{"since":"2026-01-01T00:00:00Z"}""");
        Assert.True(replay.Status == 202, replay.Text);
        await UntilAsync(server, "SELECT count(*) FROM replay_jobs WHERE finished_at IS NOT NULL", 1, "the replay");
        return new FullStore
        {
            OrganizationId = tenant.OrganizationId,
            Key = tenant.Key,
            Ids = [.. (await tenant.ReadInboxAsync()).Select(one => one.Id)], // the one that tells of the dead letter among them
            Once = once,
            Dead = dead,
            Waiting = waiting,
            Erasure = (string)answer.Json["erasure_id"]!,
        };
    }

    /// <summary>What the server says of it, by the question: everything that must be the same in another store.</summary>
    public async Task<IReadOnlyDictionary<string, string>> AskAsync(ServerUnderTest server)
    {
        var tenant = new Tenant(server, OrganizationId, Key);
        var admin = new Tenant(server, "", server.AdminToken);
        List<string> questions =
        [
            "/api/inbox?order=asc&limit=3", "/api/inbox?limit=100", "/api/inbox?status=failed", "/api/inbox?status=dead_letter",
            "/api/inbox?type=a",
            "/api/endpoints", "/api/dead-letters", "/api/keys", "/api/ledger", "/api/usage", "/api/audit", "/api/replays",
            $"/api/erasures/{Erasure}",
        ];
        questions.AddRange(Ids.Select(id => $"/api/events/{id}"));
        var answers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var question in questions) answers[question] = Stable(await tenant.GetAsync(question));
        foreach (var question in (string[])["/api/admin/organizations", $"/api/admin/organizations/{OrganizationId}", "/api/admin/audit"])
            answers[question] = Stable(await admin.GetAsync(question));
        return answers;
    }

    /// <summary>Asks again and compares, question by question.</summary>
    public async Task AssertSameAsync(IReadOnlyDictionary<string, string> before, ServerUnderTest server)
    {
        foreach (var (question, answer) in await AskAsync(server))
            Assert.True(before[question] == answer, $"{question}\n{before[question]}\n{answer}");
    }

    /// <summary>Runs SQL behind the server's back; returns the first value.</summary>
    public static async Task<object?> SqlAsync(ServerUnderTest server, string sql)
    {
        if (server.ConnectionString is { } database) return await PostgresServer.ExecuteAsync(sql, database);
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(server.DataDirectory, "events.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    private static Task UntilAsync(ServerUnderTest server, string sql, long atLeast, string what) =>
        Poll.UntilAsync(async () => Convert.ToInt64(await SqlAsync(server, sql), null) >= atLeast, what);

    private static string Stable(Reply reply)
    {
        Assert.True(reply.Status == 200, reply.Text);
        var json = reply.Json;
        foreach (var part in Parts(json))
        {
            part.Remove("last_used_at"); // written now and then
            part.Remove("health"); // counted anew by each process
            part.Remove("as_of");
            if (part.Remove("refused")) part.Remove("acknowledged"); // of usage: in memory for up to ten seconds
        }

        return json.ToJsonString();
    }

    private static IEnumerable<JsonObject> Parts(JsonNode? node) => node switch
    {
        JsonObject one => one.SelectMany(pair => Parts(pair.Value)).Append(one).ToList(),
        JsonArray many => many.SelectMany(Parts),
        _ => [],
    };

    private static Task AnswerAsync(HttpContext context, Received received)
    {
        if (received.Path.EndsWith("/dead", StringComparison.Ordinal) || received.Path.EndsWith("/slow", StringComparison.Ordinal))
            context.Response.StatusCode = 503;
        return Task.CompletedTask;
    }

    private static async Task<string> NewEndpointAsync(Tenant tenant, string url, string types, string schedule)
    {
        var reply = await tenant.PostAsync(
            "/api/endpoints", $$"""{"url":"{{url}}","event_types":{{types}},"retry_schedule":{{schedule}},"headers":{"X-One":"1"} }""");
        Assert.True(reply.Status == 201, reply.Text);
        return (string)reply.Json["id"]!;
    }

    private static async Task<string> SendAsync(Tenant tenant, string type, int n, string? dedupId = null) =>
        (await tenant.PostEventAsync(BodyOf(type, n, dedupId), ("traceparent", n % 2 == 0 ? null : TraceOf(n)))).Accepted();

    /// <summary>The trace of its event of that number, if that is odd.</summary>
    private static string TraceOf(int n) =>
        string.Create(CultureInfo.InvariantCulture, $"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba9{n:x4}-01");

    /// <summary>The body of its event of that number.</summary>
    public static string BodyOf(string type, int n, string? dedupId)
    {
        var dedup = dedupId is null ? "" : $$""","dedup_id":"{{dedupId}}" """;
        return $$"""{"payload":{"n":{{n}},"größe":"😀"},"type":"{{type}}"{{dedup}} }""";
    }

    /// <summary>An event that the store refuses and sets aside; and a retention that has passed a time before all.</summary>
    private static async Task RefuseOneAsync(ServerUnderTest server, Tenant tenant)
    {
        var isPostgres = server.ConnectionString is not null;
        await SqlAsync(server, isPostgres
            ? "ALTER TABLE events ADD CONSTRAINT refused CHECK (type <> 'refused')"
            : "CREATE TRIGGER refused BEFORE INSERT ON events WHEN NEW.type = 'refused' BEGIN SELECT RAISE(ABORT, 'refused'); END");
        await SendAsync(tenant, "refused", 10);
        await UntilAsync(server, "SELECT count(*) FROM quarantine", 1, "an event set aside");
        await SqlAsync(server, isPostgres ? "ALTER TABLE events DROP CONSTRAINT refused" : "DROP TRIGGER refused");
        var zero = isPostgres ? "'00000000-0000-7000-8000-000000000000'::uuid" : "x'00000000000070008000000000000000'";
        var time = isPostgres ? "now()" : "0";
        await SqlAsync(
            server, $"INSERT INTO usage_news (organization_no, news, claimed_at) SELECT organization_no, 1, {time} FROM organizations");
        await SqlAsync(
            server, $"INSERT INTO expirations (organization_no, expired_through) SELECT organization_no, {zero} FROM organizations");
    }
}
