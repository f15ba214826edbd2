using System.Text.Json;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>
/// What a call says of an endpoint: only fields that were sent are taken over; null stands for the default. Reading stops at the first
/// field that cannot be taken.
/// </summary>
internal sealed class EndpointFields
{
    private const int MaxDescription = 1000;
    private const int MaxRetries = 20;
    private const int MostInFlight = 256;
    private const int MostTimeoutSeconds = 30;
    private static readonly int MaxWait = (int)TimeSpan.FromDays(7).TotalSeconds;

    private readonly List<Func<EndpointRecord, EndpointRecord>> _changes = [];
    private readonly bool _making;
    private string _field = "";
    private FieldError? _error;

    private EndpointFields(bool making) => _making = making;

    /// <summary>The URL, not checked yet; null when it was not sent.</summary>
    public string? Url { get; private set; }

    /// <summary>The new filter; null when it was not sent.</summary>
    public EventTypePatterns? Patterns { get; private set; }

    /// <summary>Where the lane is to begin; null when it was not sent. Only of an endpoint that is made.</summary>
    public StartPlace? Start { get; private set; }

    /// <summary>Reads the JSON object; null with an error when a field cannot be taken.</summary>
    public static EndpointFields? Read(JsonElement body, bool making, out FieldError? error)
    {
        var fields = new EndpointFields(making);
        foreach (var member in body.EnumerateObject())
        {
            if (fields._error is not null) break;
            fields._field = member.Name;
            fields.Take(member.Name, member.Value);
        }

        if (making && fields._error is null && fields.Url is null)
        {
            fields._field = "url";
            fields.Refuse("is missing; send the URL that events are to be posted to.");
        }

        error = fields._error;
        return error is null ? fields : null;
    }

    /// <summary>The endpoint with what was sent; without filter and first place.</summary>
    public EndpointRecord ApplyTo(EndpointRecord endpoint) => _changes.Aggregate(endpoint, static (changed, change) => change(changed));

    private void Take(string name, JsonElement value)
    {
        var isNull = value.ValueKind == JsonValueKind.Null;
        switch (name)
        {
            case "url": TakeUrl(value); break;
            case "description": TakeDescription(value, isNull); break;
            case "event_types": TakePatterns(value, isNull); break;
            case "headers": TakeHeaders(value); break;
            case "enabled": TakeEnabled(value, isNull); break;
            case "rate_limit_per_second": TakeNumber(value, StartRate.Most, static (row, n) => row with { RateLimitPerSecond = n }); break;
            case "max_in_flight": TakeNumber(value, MostInFlight, static (row, n) => row with { MaxInFlight = n }); break;
            case "timeout_seconds": TakeNumber(value, MostTimeoutSeconds, static (row, n) => row with { TimeoutSeconds = n }); break;
            case "retry_schedule": TakeSchedule(value, isNull); break;
            case "ordering": TakeOrdering(value, isNull); break;
            case "format": TakeFormat(value, isNull); break;
            case "start" when _making: TakeStart(value, isNull); break;
            case "start": Refuse("can be given only when the endpoint is made."); break;
            default: RefuseUnknown(name); break;
        }
    }

    private void TakeUrl(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            Refuse("must be a string: the URL that events are to be posted to.");
            return;
        }

        var url = Url = value.GetString()!;
        _changes.Add(row => row with { Url = url });
    }

    private void TakeDescription(JsonElement value, bool isNull)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if ((text is null && !isNull) || text?.EnumerateRunes().Count() > MaxDescription || text?.Contains('\0') == true)
        {
            Refuse($"must be a string of at most {MaxDescription} characters without NUL, or null for none.");
            return;
        }

        _changes.Add(row => row with { Description = text });
    }

    private void TakePatterns(JsonElement value, bool isNull)
    {
        var texts = isNull ? ["*"] : Texts(value);
        if (texts is null || texts.Count is 0 or > EventTypePatterns.MaxCount || !texts.All(EventTypePatterns.IsPattern))
        {
            Refuse($"must be a list of 1 to {EventTypePatterns.MaxCount} patterns of at most {EventTypePatterns.MaxLength} characters, each a "
                + "type such as user.created, a prefix such as user.*, or * for all; * stands alone or as the last segment only. Use "
                + "enabled: false to hold all events.");
            return;
        }

        Patterns = new EventTypePatterns(texts);
    }

    private void TakeHeaders(JsonElement value)
    {
        if (HeaderFields.Read(value, takesMasks: !_making, out var problem) is not { } headers) Refuse(problem!);
        else _changes.Add(row => row with { Headers = HeaderFields.Unmask(headers, row.Headers) });
    }

    private void TakeEnabled(JsonElement value, bool isNull)
    {
        if (!isNull && value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            Refuse("must be true or false; null means true.");
            return;
        }

        var enabled = isNull || value.GetBoolean();
        _changes.Add(row => row.Enabled == enabled ? row : row with { Enabled = enabled, DisabledReason = null });
    }

    private void TakeNumber(JsonElement value, int most, Func<EndpointRecord, int?, EndpointRecord> set)
    {
        var (number, isNull) = (0, value.ValueKind == JsonValueKind.Null);
        if (!isNull && (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out number) || number < 1 || number > most))
        {
            Refuse($"must be a whole number from 1 to {most}, or null for the default.");
            return;
        }

        _changes.Add(row => set(row, isNull ? null : number));
    }

    private void TakeSchedule(JsonElement value, bool isNull)
    {
        var waits = new List<int>();
        var isList = value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= MaxRetries;
        foreach (var one in isList ? value.EnumerateArray() : default)
        {
            isList &= one.ValueKind == JsonValueKind.Number && one.TryGetInt32(out var seconds) && seconds >= 1 && seconds <= MaxWait;
            if (isList) waits.Add(one.GetInt32());
        }

        if (!isNull && !isList)
        {
            Refuse($"must be a list of at most {MaxRetries} waits in whole seconds, each from 1 to {MaxWait} (7 days); [] for a single try, "
                + "null for the server's default.");
            return;
        }

        _changes.Add(row => row with { RetrySchedule = isNull ? null : new EqualList<int>(waits) });
    }

    private void TakeOrdering(JsonElement value, bool isNull)
    {
        var text = isNull ? "none" : value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (text is not ("none" or "key"))
        {
            Refuse("""must be "none" or "key".""");
            return;
        }

        var ordering = text == "key" ? EndpointOrdering.Key : EndpointOrdering.None;
        _changes.Add(row => row with { Ordering = ordering });
    }

    private void TakeFormat(JsonElement value, bool isNull)
    {
        var text = isNull ? "standard" : value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (text is not ("standard" or "cloudevents"))
        {
            Refuse("""must be "standard" or "cloudevents".""");
            return;
        }

        var format = text == "cloudevents" ? WebhookFormat.CloudEvents : WebhookFormat.Standard;
        _changes.Add(row => row with { Format = format });
    }

    private void TakeStart(JsonElement value, bool isNull)
    {
        if (isNull) return;
        Start = StartPlace.Read(value.ValueKind == JsonValueKind.String ? value.GetString()! : "");
        if (Start is null)
            Refuse("must be \"now\", the id of the first event to send, or an RFC 3339 time (2026-01-31T08:00:00Z) to send from.");
    }

    /// <summary>A name is said back only if it could be a field's: people put keys into bodies, and errors into logs.</summary>
    private void RefuseUnknown(string name)
    {
        var isWord = name.Length is > 0 and <= 40 && name.All(static c => char.IsAsciiLetterLower(c) || c == '_');
        _error = new FieldError(
            isWord ? name : "(unknown)",
            "An endpoint has no such field; its fields are url, description, event_types, headers, enabled, rate_limit_per_second, "
            + "max_in_flight, timeout_seconds, retry_schedule, ordering, format and, when it is made, start.");
    }

    private void Refuse(string what) => _error ??= new FieldError(_field, $"{_field} {what}");

    private static List<string>? Texts(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(static one => one.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(static one => one.GetString()!)]
            : null;
}
