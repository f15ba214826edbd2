using System.Text.Json;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>One event of an inbox page; the payload is the raw text that stood in the page.</summary>
internal sealed record InboxEvent(string Id, string Type, string Payload, string? DedupId, string Status, int Attempts)
{
    public static IReadOnlyList<InboxEvent> ReadPage(byte[] page)
    {
        // A payload as deep as may be lies in a page's list.
        using var document = JsonDocument.Parse(page, new JsonDocumentOptions { MaxDepth = 128 });
        return [.. document.RootElement.GetProperty("events").EnumerateArray().Select(Read)];
    }

    private static InboxEvent Read(JsonElement one) => new(
        one.GetProperty("id").GetString()!,
        one.GetProperty("type").GetString()!,
        one.GetProperty("payload").GetRawText(),
        one.GetProperty("dedup_id").GetString(),
        one.GetProperty("status").GetString()!,
        one.GetProperty("attempts").GetInt32());
}
