using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using ZapierTriggers.Server.Operations.Pages;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>
/// The OpenAPI document as a judge of answers: status, media type and body of each must be what it says of the call. Objects may have
/// no member that it does not name, unless it says that they may.
/// </summary>
internal static class ApiContract
{
    private const string Id = "https://contract.test/api";
    private static readonly JsonObject Document = JsonNode.Parse(OpenApiDocument.Text)!.AsObject();
    private static readonly JsonObject Definitions = [];
    private static readonly FrozenDictionary<string, Operation> Operations;
    private static readonly (string[] Segments, string Template)[] Templates;

    static ApiContract()
    {
        foreach (var (name, schema) in Document["components"]!["schemas"]!.AsObject()) Definitions.Add(name, Adapt(schema!.DeepClone()));
        var operations = new Dictionary<string, Operation>(StringComparer.Ordinal);
        foreach (var (path, item) in Document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in item!.AsObject())
                operations.Add($"{method.ToUpperInvariant()} {path}", new Operation(ResponsesOf(operation!, $"{method}{path}")));
        }

        JsonSchema.FromText(new JsonObject { ["$id"] = Id, ["$defs"] = Definitions }.ToJsonString());
        foreach (var content in operations.Values.SelectMany(one => one.Responses.Values).SelectMany(contents => contents.Values))
            content?.Compile();
        Operations = operations.ToFrozenDictionary(StringComparer.Ordinal);
        Templates = [.. Document["paths"]!.AsObject().Select(pair => pair.Key).Where(path => path.Contains('{')).Select(path => (path.Split('/'), path))];
    }

    /// <summary>Method and path of everything that the document describes.</summary>
    public static IEnumerable<string> Described => Operations.Keys;

    /// <summary>
    /// What is wrong with an answer; null when it is as the document says, or answers what the document does not describe.
    /// </summary>
    public static string? Judge(string method, string path, int status, string? mediaType, ReadOnlyMemory<byte> body)
    {
        if (Find(method, path) is not { } operation) return JudgeProblem(status, mediaType, body);
        if (!operation.Responses.TryGetValue(status.ToString(System.Globalization.CultureInfo.InvariantCulture), out var contents))
            return status < 400 ? $"{method} {path}: {status} is not described" : JudgeProblem(status, mediaType, body);
        if (method == "HEAD" || status is 204 or 304) return null;
        if (mediaType is null || !contents.TryGetValue(mediaType, out var content))
            return $"{method} {path}: {status} as {mediaType} is not described";
        return content?.Judge(body) is { } fault ? $"{method} {path} {status}: {fault}" : null;
    }

    /// <summary>The same for an answer of which only itself is known: problems have one shape.</summary>
    public static string? JudgeProblem(int status, string? mediaType, ReadOnlyMemory<byte> body)
    {
        if (status < 400 || mediaType != "application/problem+json" || body.IsEmpty) return null;
        var refusal = Operations["GET /api/inbox"].Responses["401"]["application/problem+json"]!;
        return refusal.Judge(body) is { } fault ? $"problem {status}: {fault}" : null;
    }

    private static Operation? Find(string method, string path)
    {
        if (method == "HEAD") method = "GET";
        if (Operations.TryGetValue($"{method} {path}", out var found) || Operations.TryGetValue($"{method} /api{path}", out found))
            return found;
        foreach (var prefix in (ReadOnlySpan<string>)["", "/api"])
        {
            var segments = (prefix + path).Split('/');
            foreach (var (template, text) in Templates)
            {
                if (template.Length != segments.Length) continue;
                if (Enumerable.Range(0, segments.Length).Any(i => template[i] != segments[i] && template[i] != "{id}")) continue;
                if (Operations.TryGetValue($"{method} {text}", out found)) return found;
            }
        }

        return null;
    }

    private static Dictionary<string, Dictionary<string, Content?>> ResponsesOf(JsonNode operation, string name)
    {
        var responses = new Dictionary<string, Dictionary<string, Content?>>(StringComparer.Ordinal);
        foreach (var (status, given) in operation["responses"]!.AsObject())
        {
            var response = (string?)given!["$ref"] is { } reference
                ? Document["components"]!["responses"]![reference.Split('/')[^1]]!
                : given;
            var contents = new Dictionary<string, Content?>(StringComparer.Ordinal);
            foreach (var (mediaType, content) in response["content"]?.AsObject() ?? [])
            {
                var isJson = mediaType.EndsWith("json", StringComparison.Ordinal);
                var areLines = mediaType == "application/x-ndjson";
                contents[mediaType] = isJson ? Define($"{name}-{status}-{mediaType}", content!["schema"]!, areLines) : null;
            }

            responses[status] = contents;
        }

        return responses;
    }

    private static Content Define(string name, JsonNode schema, bool areLines)
    {
        var key = $"r{Definitions.Count}";
        Definitions.Add(key, Adapt(schema.DeepClone()));
        return new Content(key, name, areLines);
    }

    /// <summary>References lead into the judge's own schema; members that are not named are forbidden.</summary>
    private static JsonNode Adapt(JsonNode node)
    {
        if (node is JsonObject schema)
        {
            if ((string?)schema["$ref"] is { } reference) schema["$ref"] = $"#/$defs/{reference.Split('/')[^1]}";
            if (schema["properties"] is JsonObject && !schema.ContainsKey("additionalProperties")) schema["additionalProperties"] = false;
            foreach (var (key, value) in schema.ToList())
            {
                if (value is JsonObject or JsonArray && key is not ("enum" or "required" or "examples")) Adapt(value);
            }
        }
        else if (node is JsonArray list)
        {
            foreach (var item in list) if (item is not null) Adapt(item);
        }

        return node;
    }

    /// <summary>The documents in a body: one, or one a line.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> DocumentsIn(ReadOnlyMemory<byte> body, bool areLines)
    {
        if (!areLines)
        {
            yield return body;
            yield break;
        }

        while (body.Span.IndexOf((byte)'\n') is >= 0 and var end)
        {
            yield return body[..end];
            body = body[(end + 1)..];
        }

        if (!body.IsEmpty) yield return body;
    }

    private sealed record Operation(Dictionary<string, Dictionary<string, Content?>> Responses);

    /// <summary>One body that the document describes; lines of JSON are each as it says.</summary>
    private sealed class Content(string key, string name, bool areLines)
    {
        private static readonly EvaluationOptions Options = new() { OutputFormat = OutputFormat.List };
        private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 128 };
        private JsonSchema? _schema;

        public void Compile() => _schema ??= JsonSchema.FromText($$"""{"$id":"{{Id}}/{{key}}","$ref":"{{Id}}#/$defs/{{key}}"}""");

        public string? Judge(ReadOnlyMemory<byte> body) =>
            DocumentsIn(body, areLines).Select(JudgeOne).FirstOrDefault(static fault => fault is not null);

        private string? JudgeOne(ReadOnlyMemory<byte> body)
        {
            using var document = JsonDocument.Parse(body, Reading);
            var result = _schema!.Evaluate(document.RootElement, Options);
            if (result.IsValid) return null;
            var faults = result.Details?.Where(detail => detail.Errors is { Count: > 0 })
                .Select(detail => $"{detail.InstanceLocation}: {string.Join("; ", detail.Errors!.Values)}");
            return $"{name}: {string.Join("\n", faults ?? [])}";
        }
    }
}

/// <summary>Has every answer that passes judged; one that is not as the document says fails the test.</summary>
internal sealed class ContractHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>Set on a request whose answer is read as it comes: to judge it, it would have to be held whole.</summary>
    public static readonly HttpRequestOptionsKey<bool> IsStreamed = new("streamed");

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (response.Content.Headers.ContentEncoding.Count > 0) return response;
        if (request.Options.TryGetValue(IsStreamed, out var isStreamed) && isStreamed) return response;
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var path = Uri.UnescapeDataString(request.RequestUri!.AbsolutePath);
        var fault = ApiContract.Judge(
            request.Method.Method, path, (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, body);
        Assert.True(fault is null, fault);
        return response;
    }
}
