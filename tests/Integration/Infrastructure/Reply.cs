using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>An answer, read whole, with the checks that the contract asks for again and again.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Headers">All headers, names in any case.</param>
/// <param name="Bytes">The body.</param>
internal sealed record Reply(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Bytes)
{
    private static readonly string[] ProblemFields = ["type", "title", "status", "detail", "code", "error", "message"];

    public string Text => Encoding.UTF8.GetString(Bytes);

    public JsonObject Json => JsonNode.Parse(Bytes, documentOptions: new JsonDocumentOptions { MaxDepth = 128 })!.AsObject();

    public static async Task<Reply> ReadAsync(HttpResponseMessage response)
    {
        var headers = response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated)
            .ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        return new Reply((int)response.StatusCode, headers, await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>The answer is the 202, exact to the byte; returns the event's id.</summary>
    public string Accepted()
    {
        Assert.True(Status == 202, $"{Status}: {Text}");
        var id = (string)Json["id"]!;
        Assert.Equal($$"""{"id":"{{id}}","event_id":"{{id}}","status":"accepted","message":"Event queued for processing"}""", Text);
        Assert.Equal("application/json", Headers["Content-Type"]);
        Assert.Equal('7', id[14]);
        Assert.True(Guid.TryParseExact(id, "D", out _));
        return id;
    }

    /// <summary>The answer is this problem, with these fields besides the usual ones; returns it.</summary>
    public JsonObject Problem(int status, string code, string title, params string[] extras)
    {
        Assert.True(Status == status, $"{Status}: {Text}");
        Assert.Equal("application/problem+json", Headers["Content-Type"]);
        var problem = Json;
        Assert.Equal([.. ProblemFields, .. extras], problem.Select(pair => pair.Key));
        Assert.Equal($"/docs/errors#{code}", (string?)problem["type"]);
        Assert.Equal(title, (string?)problem["title"]);
        Assert.Equal(title, (string?)problem["error"]);
        Assert.Equal(status, (int?)problem["status"]);
        Assert.Equal(code, (string?)problem["code"]);
        Assert.Equal((string?)problem["detail"], (string?)problem["message"]);
        Assert.NotEmpty((string)problem["detail"]!);
        Assert.Equal(status == 401, Headers.ContainsKey("WWW-Authenticate"));
        Assert.Equal((string?)problem["retry_after_seconds"]?.ToString(), Headers.GetValueOrDefault("Retry-After"));
        return problem;
    }

    /// <summary>The answer is 422 "Invalid field" for this field.</summary>
    public void InvalidField(string field) =>
        Assert.Equal(field, (string?)Problem(422, "invalid_field", "Invalid field", "field")["field"]);

    /// <summary>The answer is 400 "Invalid JSON".</summary>
    public void InvalidJson() => Problem(400, "invalid_json", "Invalid JSON");

    /// <summary>The answer is the 409; returns the first one's id.</summary>
    public string Duplicate() => (string)Problem(409, "duplicate_event", "Duplicate event detected", "event_id")["event_id"]!;
}
