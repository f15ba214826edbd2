using System.Text.Json.Nodes;
using Answer = (
    System.Net.HttpStatusCode Status, System.Text.Json.Nodes.JsonObject Body, System.Net.Http.Headers.HttpResponseHeaders Headers);

namespace ZapierTriggers.Tests.Integration.Accounts;

/// <summary>Checks that the contract asks for again and again.</summary>
internal static class ApiAssert
{
    /// <summary>The object has exactly these fields, in this order.</summary>
    public static void Fields(JsonObject actual, params string[] names) => Assert.Equal(names, actual.Select(pair => pair.Key));

    /// <summary>The answer is the problem with that status, code and title, and these fields besides the usual ones.</summary>
    public static void Problem(Answer answer, int status, string code, string title, params string[] extras)
    {
        Assert.Equal(status, (int)answer.Status);
        Fields(answer.Body, ["type", "title", "status", "detail", "code", "error", "message", .. extras]);
        Assert.Equal(code, (string?)answer.Body["code"]);
        Assert.Equal(title, (string?)answer.Body["title"]);
        Assert.Equal(title, (string?)answer.Body["error"]);
        Assert.Equal(status, (int?)answer.Body["status"]);
        Assert.Equal((string?)answer.Body["detail"], (string?)answer.Body["message"]);
        Assert.Equal(status == 401, answer.Headers.WwwAuthenticate.Count > 0);
    }

    /// <summary>The answer is 503 "Storage unavailable", and says when to come back in body and header alike.</summary>
    public static void StorageUnavailable(Answer answer)
    {
        Problem(answer, 503, "storage_unavailable", "Storage unavailable", "retry_after_seconds");
        Assert.Equal((int?)answer.Body["retry_after_seconds"], (int?)answer.Headers.RetryAfter?.Delta?.TotalSeconds);
    }

    /// <summary>The answer is 422 "Invalid field" for that field.</summary>
    public static void InvalidField(Answer answer, string field)
    {
        Problem(answer, 422, "invalid_field", "Invalid field", "field");
        Assert.Equal(field, (string?)answer.Body["field"]);
    }
}
