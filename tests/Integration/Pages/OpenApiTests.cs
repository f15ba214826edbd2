using System.Text.Json.Nodes;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Operations.Pages;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Pages;

/// <summary>
/// The OpenAPI document says what the server does. (Each answer of these tests is judged by it: <see cref="ContractHandler"/>.)
/// </summary>
public sealed class OpenApiTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private static readonly JsonObject Document = JsonNode.Parse(OpenApiDocument.Text)!.AsObject();

    [Fact]
    public void Every_route_is_described_and_every_description_is_a_route()
    {
        var routes = fixture.Server.Routes.Select(route => $"{route.Method} {route.Template}").ToHashSet(StringComparer.Ordinal);

        // A path without /api that is there with it too is an alias, described once for all of them.
        var needed = routes.Where(route => !routes.Contains(route.Replace(" /", " /api/", StringComparison.Ordinal)));

        Assert.Equal(needed.Order(StringComparer.Ordinal), ApiContract.Described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_problem_code_is_described()
    {
        var codes = Document["components"]!["schemas"]!["Problem"]!["properties"]!["code"]!["enum"]!.AsArray()
            .Select(code => (string)code!);
        Assert.Equal(Problem.All.Select(problem => problem.Code).Order(StringComparer.Ordinal), codes.Order(StringComparer.Ordinal));

        var fields = Document["components"]!["schemas"]!["Problem"]!["properties"]!.AsObject().Select(pair => pair.Key).ToList();
        Assert.All(Problem.All.SelectMany(problem => problem.Fields), field => Assert.Contains(field, fields));
    }

    [Fact]
    public void Every_reference_leads_somewhere_and_every_operation_has_a_name_and_a_tag()
    {
        var tags = Document["tags"]!.AsArray().Select(tag => (string)tag!["name"]!).ToList();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var operation in Document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(method => method.Value!)))
        {
            Assert.True(names.Add((string)operation["operationId"]!), (string?)operation["operationId"]);
            Assert.Contains((string)operation["tags"]![0]!, tags);
            Assert.NotEmpty((string)operation["summary"]!);
        }

        Assert.All(ReferencesIn(Document), reference => Assert.NotNull(Resolve(reference)));
    }

    [Fact]
    public void Every_path_parameter_is_declared()
    {
        foreach (var (path, item) in Document["paths"]!.AsObject())
        {
            foreach (var (_, operation) in item!.AsObject())
            {
                var parameters = (operation!["parameters"]?.AsArray() ?? [])
                    .Select(given => (string?)given!["$ref"] is { } reference ? Resolve(reference)! : given);
                var hasId = parameters.Any(one => (string?)one["in"] == "path" && (string?)one["name"] == "id");
                Assert.Equal(path.Contains("{id}", StringComparison.Ordinal), hasId);
            }
        }
    }

    [Theory]
    [InlineData("/openapi.json")]
    [InlineData("/api/openapi")]
    public async Task It_is_served_whole_and_cached_by_its_tag(string path)
    {
        using var first = await fixture.Server.Client.GetAsync(path);
        Assert.Equal("application/json", first.Content.Headers.ContentType!.MediaType);
        Assert.Equal(OpenApiDocument.Text, await first.Content.ReadAsStringAsync());

        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await fixture.Server.Client.SendAsync(request);
        Assert.Equal(304, (int)second.StatusCode);
    }

    [Fact]
    public void An_answer_with_a_field_that_is_not_described_is_noticed()
    {
        const string Page = """{"events":[],"next_cursor":null,"has_more":false,"count":0,"limit":100,"offset":0""";
        Assert.Null(ApiContract.Judge("GET", "/inbox", 200, "application/json", System.Text.Encoding.UTF8.GetBytes(Page + "}")));
        Assert.NotNull(ApiContract.Judge("GET", "/inbox", 200, "application/json", System.Text.Encoding.UTF8.GetBytes(Page + ""","odd":1}""")));
        Assert.NotNull(ApiContract.Judge("GET", "/api/inbox", 200, "application/json", System.Text.Encoding.UTF8.GetBytes("{}")));
        Assert.NotNull(ApiContract.Judge("GET", "/api/inbox", 203, "application/json", System.Text.Encoding.UTF8.GetBytes(Page + "}")));
    }

    private static IEnumerable<string> ReferencesIn(JsonNode? node) => node switch
    {
        JsonObject item =>
            item.SelectMany(pair => pair is { Key: "$ref", Value: JsonValue text } ? [(string)text!] : ReferencesIn(pair.Value)),
        JsonArray list => list.SelectMany(ReferencesIn),
        _ => [],
    };

    private static JsonNode? Resolve(string reference) =>
        reference.Split('/').Skip(1).Aggregate<string, JsonNode?>(Document, (node, name) => node?[name]);
}
