using System.Text.Json;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Webhooks;

namespace ZapierTriggers.Server.DataRights;

/// <summary>The body of <c>DELETE /api/events</c>.</summary>
/// <param name="Selection">Which events.</param>
/// <param name="IsDryRun">Whether they are only to be counted.</param>
internal sealed record ErasureRequest(ErasureSelection Selection, bool IsDryRun)
{
    private const int MaxIds = 1_000;
    private const int MaxPathLength = 255;

    /// <summary>Reads it; null with an error when a field is bad.</summary>
    public static ErasureRequest? Read(JsonElement json, out FieldError? error)
    {
        error = null;
        var (ids, field) = (Find(json, "event_ids"), Find(json, "payload_field"));
        if (ids is null == field is null)
        {
            error = new FieldError(
                "event_ids", "Send either event_ids, or payload_field with equals: one of them says which events are erased.");
            return null;
        }

        var selection = ids is { } list ? ById(json, list, ref error) : ByPayload(json, field!.Value, ref error);
        var dryRun = Find(json, "dry_run");
        if (dryRun is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) })
            error ??= new FieldError("dry_run", "dry_run must be true or false.");
        return error is null ? new ErasureRequest(selection, dryRun is { ValueKind: JsonValueKind.True }) : null;
    }

    private static ErasureSelection ById(JsonElement json, JsonElement list, ref FieldError? error)
    {
        foreach (var name in (ReadOnlySpan<string>)["equals", "type", "from", "to"])
        {
            if (json.TryGetProperty(name, out _)) error ??= new FieldError(name, $"{name} goes with payload_field, not with event_ids.");
        }

        var ids = new List<EventId>();
        if (list.ValueKind == JsonValueKind.Array && list.GetArrayLength() is >= 1 and <= MaxIds)
        {
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.String && EventId.TryParse(item.GetString(), out var id)) ids.Add(id);
            }
        }

        if (ids.Count == 0 || ids.Count != list.GetArrayLength())
            error ??= new FieldError("event_ids", $"event_ids must be an array of 1 to {MaxIds} event ids as strings.");
        return new ErasureSelection { EventIds = ids };
    }

    private static ErasureSelection ByPayload(JsonElement json, JsonElement field, ref FieldError? error)
    {
        var path = field.ValueKind == JsonValueKind.String ? field.GetString()! : "";
        var names = path.Split('.');
        if (path.Length is 0 or > MaxPathLength || names.Any(static name => name.Length == 0))
            error ??= new FieldError(
                "payload_field", $"payload_field must be names separated by dots, such as user.id, of at most {MaxPathLength} characters.");
        var isScalar = json.TryGetProperty("equals", out var equal)
            && equal.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Undefined);
        if (!isScalar) error ??= new FieldError("equals", "equals must be the value to look for: a string, a number, true, false or null.");
        var from = ReplayFields.CheckTime(TextOf(json, "from", ref error), "from", ref error);
        var to = ReplayFields.CheckTime(TextOf(json, "to", ref error), "to", ref error);
        if (from >= to) error ??= new FieldError("to", "to must be later than from: events accepted from from on and before to are meant.");
        return new ErasureSelection
        {
            Path = names,
            EqualTo = isScalar ? equal.GetRawText() : "null",
            Type = ReplayFields.CheckType(TextOf(json, "type", ref error), ref error),
            From = from,
            To = to,
        };
    }

    private static JsonElement? Find(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? TextOf(JsonElement json, string name, ref FieldError? error)
    {
        if (Find(json, name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.String) return value.GetString() is { Length: > 0 } text ? text : null;
        error ??= new FieldError(name, $"{name} must be a string.");
        return null;
    }
}
