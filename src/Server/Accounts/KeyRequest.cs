using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>What a call that makes a key asks for.</summary>
/// <param name="Name">What its owner calls it.</param>
/// <param name="Scopes">What it may do; at least one.</param>
/// <param name="ExpiresAt">From when on it is refused; null = never.</param>
/// <param name="Live">Whether it is for production.</param>
internal sealed record KeyRequest(string Name, KeyScopes Scopes, DateTimeOffset? ExpiresAt, bool Live)
{
    private const int MaxNameLength = 255;

    private static readonly string ScopeNames = KeyScopes.All.ToText().Replace(" ", ", ", StringComparison.Ordinal);

    /// <summary>Reads the JSON object; null with an error when a field cannot be taken.</summary>
    /// <param name="body">The object.</param>
    /// <param name="absent">What stands for absent fields; an empty name or no scopes = they must be sent.</param>
    /// <param name="now">An expiry must be later.</param>
    /// <param name="error">The field that cannot be taken.</param>
    public static KeyRequest? Read(JsonElement body, KeyRequest absent, DateTimeOffset now, out FieldError? error)
    {
        error = null;
        var name = ReadName(body, absent.Name, ref error);
        var scopes = ReadScopes(body, absent.Scopes, ref error);
        var expiresAt = ReadExpiry(body, now, ref error);
        var live = ReadMode(body, absent.Live, ref error);
        return error is null ? new KeyRequest(name, scopes, expiresAt, live) : null;
    }

    private static string ReadName(JsonElement body, string absent, ref FieldError? error)
    {
        if (!IsSent(body, "name", out var value) && absent.Length > 0) return absent;
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { } name && !string.IsNullOrWhiteSpace(name)
            && name.Length <= MaxNameLength && !name.Any(char.IsControl))
            return name;
        error ??= new FieldError(
            "name", $"name must be a string of 1 to {MaxNameLength} characters, not only spaces and without control characters.");
        return "";
    }

    private static KeyScopes ReadScopes(JsonElement body, KeyScopes absent, ref FieldError? error)
    {
        if (!IsSent(body, "scopes", out var value) && absent != KeyScopes.None) return absent;
        var scopes = KeyScopes.None;
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var one in value.EnumerateArray())
            {
                var scope = one.ValueKind == JsonValueKind.String ? KeyScopeNames.Find(one.GetString()!) : KeyScopes.None;
                scopes = scope == KeyScopes.None ? KeyScopes.None : scopes | scope;
                if (scope == KeyScopes.None) break;
            }
        }

        if (scopes == KeyScopes.None) error ??= new FieldError("scopes", $"scopes must be a list of one or more of {ScopeNames}.");
        return scopes;
    }

    private static DateTimeOffset? ReadExpiry(JsonElement body, DateTimeOffset now, ref FieldError? error)
    {
        if (!IsSent(body, "expires_at", out var value)) return null;
        if (value.ValueKind == JsonValueKind.String && TimeText.TryParse(value.GetString()!, out var time) && time > now)
            return DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
        error ??= new FieldError(
            "expires_at", $"expires_at must be {TimeText.Form}, and still to come; leave it out for a key without end.");
        return null;
    }

    private static bool ReadMode(JsonElement body, bool absent, ref FieldError? error)
    {
        if (!IsSent(body, "mode", out var value)) return absent;
        var mode = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (mode is not ("live" or "test")) error ??= new FieldError("mode", "mode must be \"live\" or \"test\".");
        return mode == "live";
    }

    /// <summary>JSON null counts as absent.</summary>
    private static bool IsSent(JsonElement body, string name, out JsonElement value) =>
        body.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
}
