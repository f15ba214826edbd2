using System.Globalization;
using System.Text.Json.Nodes;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

public sealed class PostgresEndpointRoutesTests(PostgresBackedServer fixture) : EndpointRoutesTests<PostgresBackedServer>(fixture);

public sealed class SqliteEndpointRoutesTests(SqliteServer fixture) : EndpointRoutesTests<SqliteServer>(fixture);

/// <summary>Every call under <c>/api/endpoints</c> and every refusal, over a socket.</summary>
public abstract class EndpointRoutesTests<T>(T fixture) : IClassFixture<T>
    where T : ServerFixture
{
    private const string Path = "/api/endpoints";
    private const string Unknown = "01956ae0-0000-7000-8000-000000000000";

    private static readonly string[] Fields =
    [
        "id", "url", "description", "event_types", "headers", "enabled", "is_default", "disabled_reason", "rate_limit_per_second",
        "max_in_flight",
        "timeout_seconds", "retry_schedule", "ordering", "format", "health", "created_at", "updated_at",
    ];

    [Fact]
    public async Task One_is_made_with_defaults_and_shows_its_secret_once()
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var made = await tenant.PostAsync(Path, """{"url":"http://127.0.0.1:9/a"}""");

        Assert.Equal(201, made.Status);
        Assert.Equal([.. Fields, "secret"], made.Json.Select(pair => pair.Key));
        Assert.True(WebhookSecret.TryDecode((string)made.Json["secret"]!, out _));
        var expected = made.Json;
        expected.Remove("secret");
        var id = (string)expected["id"]!;
        Assert.Equal(
            $$"""
            {"id":"{{id}}","url":"http://127.0.0.1:9/a","description":null,"event_types":["*"],"headers":{},"enabled":true,"is_default":false,
            "disabled_reason":null,"rate_limit_per_second":null,"max_in_flight":null,"timeout_seconds":null,"retry_schedule":null,"ordering":"none","format":"standard",
            "health":{"state":"active","since":"{{expected["created_at"]}}","reason":null,"resumes_at":null,"failures_in_a_row":0,"failing_since":null,
            "last_error":null},"created_at":"{{expected["created_at"]}}","updated_at":"{{expected["created_at"]}}"}
            """.ReplaceLineEndings(""),
            expected.ToJsonString());
        Assert.Equal(expected.ToJsonString(), (await tenant.GetAsync($"{Path}/{id}")).Json.ToJsonString());
        var list = (await tenant.GetAsync(Path)).Json;
        Assert.Equal(1, (int)list["count"]!);
        Assert.Equal(expected.ToJsonString(), Assert.Single(list["endpoints"]!.AsArray())!.ToJsonString());
    }

    [Fact]
    public async Task All_fields_are_kept_changed_and_reset_also_over_a_restart()
    {
        await using var server = await ServerUnderTest.StartAsync(fixture is SqliteServer ? StoreKind.Sqlite : StoreKind.Postgres);
        var tenant = await server.NewTenantAsync();
        const string All = """
            "url":"http://127.0.0.1:9/b","description":"größe","event_types":["user.*","order.paid"],"enabled":false,"rate_limit_per_second":5,
            "max_in_flight":6,"timeout_seconds":7,"retry_schedule":[1,604800],"ordering":"key"
            """;
        var made = await tenant.PostAsync(Path, $$$"""{{{{All}}},"headers":{"Authorization":"Bearer abc","X-Region":"eu"}}""");
        Assert.Equal(201, made.Status);
        var path = $"{Path}/{made.Json["id"]}";

        await server.StopAsync();
        await server.StartAsync();
        var shown = (await tenant.GetAsync(path)).Json;
        foreach (var (name, value) in JsonNode.Parse($"{{{All}}}")!.AsObject())
            Assert.Equal(value!.ToJsonString(), shown[name]!.ToJsonString());
        Assert.Equal($$"""{"Authorization":"{{EndpointHeader.Mask}}","X-Region":"eu"}""", shown["headers"]!.ToJsonString());

        var changed = await tenant.PatchAsync(path, """{"description":"other","enabled":true,"retry_schedule":[]}""");
        Assert.Equal(200, changed.Status);
        Assert.Equal(("other", true, "[]", 5), ((string?)changed.Json["description"], (bool)changed.Json["enabled"]!, changed.Json["retry_schedule"]!.ToJsonString(), (int)changed.Json["rate_limit_per_second"]!));
        var reset = await tenant.PatchAsync(
            path,
            """{"description":null,"event_types":null,"headers":null,"enabled":null,"rate_limit_per_second":null,"max_in_flight":null,"timeout_seconds":null,"retry_schedule":null,"ordering":null}""");
        Assert.Equal(200, reset.Status);
        Assert.Equal(
            """[null,["*"],{},true,null,null,null,null,"none"]""",
            new JsonArray([.. ((string[])["description", "event_types", "headers", "enabled", "rate_limit_per_second", "max_in_flight", "timeout_seconds", "retry_schedule", "ordering"])
                .Select(name => reset.Json[name]?.DeepClone())]).ToJsonString());
        Assert.Equal(reset.Text, (await tenant.PatchAsync(path, "{}")).Text, Normal);
    }

    [Theory]
    [InlineData("""{}""", "url")]
    [InlineData("""{"url":null}""", "url")]
    [InlineData("""{"url":5}""", "url")]
    [InlineData("""{"url":"http://127.0.0.1:9/","description":5}""", "description")]
    [InlineData("""{"url":"http://127.0.0.1:9/","event_types":[]}""", "event_types")]
    [InlineData("""{"url":"http://127.0.0.1:9/","event_types":"*"}""", "event_types")]
    [InlineData("""{"url":"http://127.0.0.1:9/","event_types":[5]}""", "event_types")]
    [InlineData("""{"url":"http://127.0.0.1:9/","event_types":["a*"]}""", "event_types")]
    [InlineData("""{"url":"http://127.0.0.1:9/","headers":[]}""", "headers")]
    [InlineData("""{"url":"http://127.0.0.1:9/","headers":{"A":1}}""", "headers")]
    [InlineData("""{"url":"http://127.0.0.1:9/","headers":{"Host":"a"}}""", "headers")]
    [InlineData("""{"url":"http://127.0.0.1:9/","headers":{"a b":"a"}}""", "headers")]
    [InlineData("""{"url":"http://127.0.0.1:9/","headers":{"A":"a\r\nb"}}""", "headers")]
    [InlineData("""{"url":"http://127.0.0.1:9/","headers":{"A":"1","a":"2"}}""", "headers")]
    [InlineData("""{"url":"http://127.0.0.1:9/","headers":{"Authorization":"********"}}""", "headers")]
    [InlineData("""{"url":"http://127.0.0.1:9/","enabled":"true"}""", "enabled")]
    [InlineData("""{"url":"http://127.0.0.1:9/","rate_limit_per_second":0}""", "rate_limit_per_second")]
    [InlineData("""{"url":"http://127.0.0.1:9/","rate_limit_per_second":1001}""", "rate_limit_per_second")]
    [InlineData("""{"url":"http://127.0.0.1:9/","rate_limit_per_second":1.5}""", "rate_limit_per_second")]
    [InlineData("""{"url":"http://127.0.0.1:9/","max_in_flight":0}""", "max_in_flight")]
    [InlineData("""{"url":"http://127.0.0.1:9/","max_in_flight":257}""", "max_in_flight")]
    [InlineData("""{"url":"http://127.0.0.1:9/","timeout_seconds":0}""", "timeout_seconds")]
    [InlineData("""{"url":"http://127.0.0.1:9/","timeout_seconds":31}""", "timeout_seconds")]
    [InlineData("""{"url":"http://127.0.0.1:9/","timeout_seconds":"5"}""", "timeout_seconds")]
    [InlineData("""{"url":"http://127.0.0.1:9/","retry_schedule":[0]}""", "retry_schedule")]
    [InlineData("""{"url":"http://127.0.0.1:9/","retry_schedule":[604801]}""", "retry_schedule")]
    [InlineData("""{"url":"http://127.0.0.1:9/","retry_schedule":5}""", "retry_schedule")]
    [InlineData("""{"url":"http://127.0.0.1:9/","retry_schedule":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}""", "retry_schedule")]
    [InlineData("""{"url":"http://127.0.0.1:9/","ordering":"other"}""", "ordering")]
    [InlineData("""{"url":"http://127.0.0.1:9/","start":"yesterday"}""", "start")]
    [InlineData("""{"url":"http://127.0.0.1:9/","start":5}""", "start")]
    [InlineData("""{"url":"http://127.0.0.1:9/","start":"2026-01-01"}""", "start")]
    [InlineData("""{"url":"http://127.0.0.1:9/","start":"9000-01-01T00:00:00Z"}""", "start")]
    [InlineData("""{"url":"http://127.0.0.1:9/","start":"ffffffff-ffff-7fff-bfff-ffffffffffff"}""", "start")]
    [InlineData("""{"url":"http://127.0.0.1:9/","is_default":true}""", "is_default")]
    [InlineData("""{"url":"http://127.0.0.1:9/","secret":"whsec_a"}""", "secret")]
    [InlineData("""{"url":"http://127.0.0.1:9/","event_type":["*"]}""", "event_type")]
    [InlineData("""{"url":"http://127.0.0.1:9/","Zap!":1}""", "(unknown)")]
    public async Task What_cannot_be_taken_is_refused_and_makes_nothing(string body, string field)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        (await tenant.PostAsync(Path, body)).InvalidField(field);

        Assert.Equal(0, (int)(await tenant.GetAsync(Path)).Json["count"]!);
        // The same of one that is there, but for what is only missing.
        if (body == "{}") return;
        var made = await tenant.PostAsync(Path, """{"url":"http://127.0.0.1:9/own","headers":{"Authorization":"a"}}""");
        var one = $"{Path}/{made.Json["id"]}";
        var before = await tenant.GetAsync(one);
        if (!body.Contains(EndpointHeader.Mask, StringComparison.Ordinal)) (await tenant.PatchAsync(one, body)).InvalidField(field);
        Assert.Equal(before.Text, (await tenant.GetAsync(one)).Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ftp://example.com/")]
    [InlineData("http://user@example.com/")]
    [InlineData("http://169.254.169.254/latest")]
    public async Task A_url_that_cannot_be_sent_to_is_refused(string url)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var made = await tenant.PostAsync(Path, """{"url":"http://127.0.0.1:9/own"}""");
        var body = new JsonObject { ["url"] = url }.ToJsonString();

        Assert.Equal(
            "url", (string?)(await tenant.PostAsync(Path, body)).Problem(422, "invalid_url", "Invalid webhook URL", "field")["field"]);
        (await tenant.PatchAsync($"{Path}/{made.Json["id"]}", body)).Problem(422, "invalid_url", "Invalid webhook URL", "field");
        Assert.Equal(1, (int)(await tenant.GetAsync(Path)).Json["count"]!);
    }

    [Fact]
    public async Task Lists_have_ends()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        static string Many(int count, Func<int, string> one) => string.Join(',', Enumerable.Range(0, count).Select(one));
        static string Body(string members) => $$"""{"url":"http://127.0.0.1:9/",{{members}}}""";

        (await tenant.PostAsync(Path, Body($"\"event_types\":[{Many(51, i => $"\"t{i}\"")}]"))).InvalidField("event_types");
        (await tenant.PostAsync(Path, Body($"\"event_types\":[\"{new string('a', 256)}\"]"))).InvalidField("event_types");
        (await tenant.PostAsync(Path, Body($"\"headers\":{{{Many(21, i => $"\"h{i}\":\"\"")}}}"))).InvalidField("headers");
        (await tenant.PostAsync(Path, Body($"\"headers\":{{\"h\":\"{new string('a', 4096)}\"}}"))).InvalidField("headers");
        (await tenant.PostAsync(Path, Body($"\"description\":\"{new string('a', 1001)}\""))).InvalidField("description");
        var most = await tenant.PostAsync(Path, Body(
            $"\"event_types\":[{Many(50, i => $"\"{new string('a', 250)}{i}.*\"")}],\"headers\":{{{Many(20, i => $"\"h{i}\":\"{new string('a', 200)}\"")}}},"
            + $"\"description\":\"{string.Concat(Enumerable.Repeat("😀", 1000))}\",\"retry_schedule\":[{Many(20, _ => "1")}]"));
        Assert.True(most.Status == 201, most.Text);
    }

    [Fact]
    public async Task An_organization_has_no_more_than_the_setting_says()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite, "Delivery:MaxEndpoints=2");
        var tenant = await server.NewTenantAsync();
        await tenant.SetWebhookAsync("http://127.0.0.1:9/default");
        Assert.Equal(201, (await tenant.PostAsync(Path, """{"url":"http://127.0.0.1:9/1"}""")).Status);

        var refused = (await tenant.PostAsync(Path, """{"url":"http://127.0.0.1:9/2"}""")).Problem(422, "too_many_endpoints", "Too many endpoints", "limit");
        Assert.Equal(2, (int)refused["limit"]!);
        Assert.Equal(201, (await (await server.NewTenantAsync()).PostAsync(Path, """{"url":"http://127.0.0.1:9/2"}""")).Status);
        var list = (await tenant.GetAsync(Path)).Json["endpoints"]!.AsArray();
        Assert.Equal([true, false], list.Select(one => (bool)one!["is_default"]!));

        Assert.Equal(204, (await tenant.DeleteAsync($"{Path}/{list[0]!["id"]}")).Status);
        Assert.Null((await tenant.GetAsync("/api/keys")).Json["webhook_url"]);
        Assert.Equal(201, (await tenant.PostAsync(Path, """{"url":"http://127.0.0.1:9/2"}""")).Status);
        await tenant.SetWebhookAsync("http://127.0.0.1:9/default");
    }

    [Fact]
    public async Task Without_a_key_or_with_a_wrong_one_nothing_is_answered()
    {
        foreach (var (method, path) in fixture.Server.Routes.Where(route => route.Template.StartsWith(Path, StringComparison.Ordinal)))
        {
            foreach (var (key, code, title) in ((string?, string, string)[])[(null, "missing_api_key", "Missing API key"), ("zap_live_x", "invalid_api_key", "Invalid API key")])
            {
                var tenant = new Tenant(fixture.Server, "", "");
                var reply = await tenant.SendAsync(
                    new HttpMethod(method), path.Replace("{id}", Unknown, StringComparison.Ordinal), body: null, ("X-API-Key", key));
                reply.Problem(401, code, title);
            }
        }
    }

    [Theory]
    [InlineData("PUT", Path, "GET, POST")]
    [InlineData("DELETE", Path, "GET, POST")]
    [InlineData("POST", Path + "/" + Unknown, "DELETE, GET, PATCH")]
    [InlineData("GET", Path + "/" + Unknown + "/rotate-secret", "POST")]
    [InlineData("GET", Path + "/" + Unknown + "/test", "POST")]
    public async Task Another_method_is_405(string method, string path, string allow)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        var reply = await tenant.SendAsync(new HttpMethod(method), path, body: null, ("X-API-Key", tenant.Key));

        reply.Problem(405, "method_not_allowed", "Method not allowed");
        Assert.Equal(allow, reply.Headers["Allow"]);
    }

    [Fact]
    public async Task Unknown_foreign_and_malformed_ids_are_the_same_404()
    {
        var (tenant, other) = (await fixture.Server.NewTenantAsync(), await fixture.Server.NewTenantAsync());
        var foreign = (string)(await other.PostAsync(Path, """{"url":"http://127.0.0.1:9/"}""")).Json["id"]!;

        foreach (var (method, rest) in ((string, string)[])[("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate-secret"), ("POST", "/test")])
        {
            var bodies = new HashSet<string>(StringComparer.Ordinal);
            foreach (var id in (string[])[foreign, Unknown, "abc"])
            {
                var reply = await tenant.SendAsync(
                    new HttpMethod(method), $"{Path}/{id}{rest}", method == "PATCH" ? "{}"u8.ToArray() : null, ("X-API-Key", tenant.Key));
                reply.Problem(404, "endpoint_not_found", "Endpoint not found");
                bodies.Add(reply.Text);
            }

            Assert.Single(bodies);
        }
    }

    [Fact]
    public async Task A_removed_one_is_gone()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var path = $"{Path}/{(await tenant.PostAsync(Path, """{"url":"http://127.0.0.1:9/"}""")).Json["id"]}";

        var removed = await tenant.DeleteAsync(path);

        Assert.Equal((204, 0), (removed.Status, removed.Bytes.Length));
        Assert.Equal(404, (await tenant.GetAsync(path)).Status);
        Assert.Equal(404, (await tenant.DeleteAsync(path)).Status);
        Assert.Equal(0, (int)(await tenant.GetAsync(Path)).Json["count"]!);
    }

    [Fact]
    public async Task A_mask_that_comes_back_keeps_what_it_hides()
    {
        await using var receiver = await Receiver.StartAsync();
        var tenant = await fixture.Server.NewTenantAsync();
        var made = await tenant.PostAsync(
            Path, new JsonObject { ["url"] = receiver.Url, ["headers"] = new JsonObject { ["Authorization"] = "Bearer abc", ["X-A"] = "1" } }.ToJsonString());
        var path = $"{Path}/{made.Json["id"]}";
        var headers = (await tenant.GetAsync(path)).Json["headers"]!.AsObject();
        headers["X-B"] = "2";

        Assert.Equal(200, (await tenant.PatchAsync(path, new JsonObject { ["headers"] = headers.DeepClone() }.ToJsonString())).Status);

        await tenant.PostAsync($"{path}/test");
        var sent = Assert.Single(receiver.Requests).Headers;
        Assert.Equal(("Bearer abc", "1", "2"), (sent["Authorization"], sent["X-A"], sent["X-B"]));
    }

    [Fact]
    public async Task A_new_secret_is_shown_once_and_the_old_one_has_a_day()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var made = (await tenant.PostAsync(Path, """{"url":"http://127.0.0.1:9/"}""")).Json;

        var rotated = await tenant.PostAsync($"{Path}/{made["id"]}/rotate-secret");

        Assert.Equal(200, rotated.Status);
        Assert.Equal(["id", "secret", "previous_valid_until", "updated_at", "message"], rotated.Json.Select(pair => pair.Key));
        Assert.NotEqual((string?)made["secret"], (string?)rotated.Json["secret"]);
        var (until, at) = (Time(rotated.Json["previous_valid_until"]), Time(rotated.Json["updated_at"]));
        Assert.Equal(TimeSpan.FromHours(24), until - at);
        Assert.DoesNotContain("whsec_", (await tenant.GetAsync($"{Path}/{made["id"]}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_default_endpoint_is_one_of_them()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var secret = await tenant.SetWebhookAsync("http://127.0.0.1:9/1");
        var only = Assert.Single((await tenant.GetAsync(Path)).Json["endpoints"]!.AsArray())!;
        Assert.Equal((true, "http://127.0.0.1:9/1"), ((bool)only["is_default"]!, (string?)only["url"]));

        await tenant.PatchAsync($"{Path}/{only["id"]}", """{"url":"http://127.0.0.1:9/2","enabled":false,"event_types":["a"]}""");
        Assert.Equal("http://127.0.0.1:9/2", (string?)(await tenant.GetAsync("/api/keys")).Json["webhook_url"]);

        Assert.Equal(secret, await tenant.SetWebhookAsync("http://127.0.0.1:9/3"));
        var shown = (await tenant.GetAsync($"{Path}/{only["id"]}")).Json;
        Assert.Equal(("http://127.0.0.1:9/3", true, """["a"]"""), ((string?)shown["url"], (bool)shown["enabled"]!, shown["event_types"]!.ToJsonString()));
    }

    private static DateTimeOffset Time(JsonNode? text) => DateTimeOffset.Parse((string)text!, CultureInfo.InvariantCulture);

    private static readonly IEqualityComparer<string> Normal = EqualityComparer<string>.Create(
        static (one, other) =>
            one?[..one.IndexOf("updated_at", StringComparison.Ordinal)] == other?[..other.IndexOf("updated_at", StringComparison.Ordinal)]);
}
