using System.Text.Json;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Inbox;

/// <summary>What <c>POST /api/inbox/ack</c> asks for.</summary>
/// <param name="EventIds">The strings as sent, 1 to 1,000. One that is no id is a failed id, not an error of the request.</param>
internal sealed record AckRequest(IReadOnlyList<string> EventIds)
{
    private const int MaxIds = 1_000;

    /// <summary>Those that are ids, each once.</summary>
    public IReadOnlyList<EventId> ValidIds { get; } =
        [.. EventIds.Select(text => EventId.TryParse(text, out var id) ? id : (EventId?)null).OfType<EventId>().Distinct()];

    /// <summary>Reads the JSON object; null with an error when it is not a list of 1 to 1,000 strings.</summary>
    public static AckRequest? Read(JsonElement body, out FieldError? error)
    {
        error = null;
        if (body.TryGetProperty("event_ids", out var list) && list.ValueKind == JsonValueKind.Array
            && list.GetArrayLength() is >= 1 and <= MaxIds
            && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
        {
            return new AckRequest([.. list.EnumerateArray().Select(item => item.GetString()!)]);
        }

        error = new FieldError("event_ids", $"event_ids must be an array of 1 to {MaxIds} event ids as strings.");
        return null;
    }
}
