using System.Text.Json;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>What a call that replays many deliveries asks for.</summary>
/// <param name="Filter">Which ones.</param>
/// <param name="RatePerSecond">Sends a second, at the most.</param>
/// <param name="IsDryRun">Whether they are only to be counted.</param>
internal sealed record ReplayRequest(ReplayFilter Filter, int RatePerSecond, bool IsDryRun)
{
    private const int DefaultRate = 50;
    private const int MaxRate = 1_000;
    private const int MaxIds = 1_000;

    /// <summary>Reads the JSON object of a replay of dead letters; null (no body) = all. Null with an error when a field is bad.</summary>
    public static ReplayRequest? Read(JsonElement? body, out FieldError? error)
    {
        error = null;
        if (body is not { } json) return new ReplayRequest(new ReplayFilter(), DefaultRate, IsDryRun: false);
        var filter = new ReplayFilter
        {
            EndpointId = EndpointIdOf(json, ref error),
            Type = ReplayFields.CheckType(TextOf(json, "type", ref error), ref error),
            Since = TimeOf(json, "since", ref error),
            Until = TimeOf(json, "until", ref error),
            Error = ReplayFields.CheckErrorText(TextOf(json, "error", ref error), ref error),
            EventIds = IdsOf(json, ref error),
        };
        return With(json, filter, ref error);
    }

    /// <summary>Reads the JSON object of a recovery of an endpoint. Null with an error when a field is bad.</summary>
    public static ReplayRequest? ReadRecovery(JsonElement json, Guid endpointId, DateTimeOffset now, out FieldError? error)
    {
        error = null;
        var since = TimeOf(json, "since", ref error);
        if (since is null)
            error ??= new FieldError("since", $"since is missing; send {TimeText.Form}: what was accepted from then on is sent again.");
        var filter = new ReplayFilter
        {
            Recovers = true,
            EndpointId = endpointId,
            Since = since,
            Until = TimeOf(json, "until", ref error) ?? now,
        };
        return With(json, filter, ref error);
    }

    /// <summary>The endpoint that a body names; null when it names none.</summary>
    public static Guid? EndpointIdOf(JsonElement json, ref FieldError? error) =>
        ReplayFields.CheckEndpointId(TextOf(json, "endpoint_id", ref error), ref error);

    private static ReplayRequest? With(JsonElement json, ReplayFilter filter, ref FieldError? error)
    {
        ReplayFields.CheckRange(filter, ref error);
        var rate = DefaultRate;
        if (Find(json, "rate_per_second") is { } given
            && !(given.ValueKind == JsonValueKind.Number && given.TryGetInt32(out rate) && rate is >= 1 and <= MaxRate))
            error ??= new FieldError("rate_per_second", $"rate_per_second must be a whole number from 1 to {MaxRate}.");
        var dryRun = Find(json, "dry_run");
        if (dryRun is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) })
            error ??= new FieldError("dry_run", "dry_run must be true or false.");
        return error is null ? new ReplayRequest(filter, rate, dryRun is { ValueKind: JsonValueKind.True }) : null;
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

    private static DateTimeOffset? TimeOf(JsonElement json, string name, ref FieldError? error) =>
        ReplayFields.CheckTime(TextOf(json, name, ref error), name, ref error);

    private static List<EventId>? IdsOf(JsonElement json, ref FieldError? error)
    {
        if (Find(json, "event_ids") is not { } list) return null;
        var ids = new List<EventId>();
        if (list.ValueKind == JsonValueKind.Array && list.GetArrayLength() is >= 1 and <= MaxIds)
        {
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.String && EventId.TryParse(item.GetString(), out var id)) ids.Add(id);
            }
        }

        if (ids.Count > 0 && ids.Count == list.GetArrayLength()) return ids;
        error ??= new FieldError("event_ids", $"event_ids must be an array of 1 to {MaxIds} event ids as strings.");
        return null;
    }
}
