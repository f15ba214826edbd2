using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>What <c>POST /api/keys/generate</c> asks for.</summary>
/// <param name="Name">The organization's name.</param>
/// <param name="Tier">Its tier.</param>
/// <param name="Live">Whether the key is for production.</param>
internal sealed record GenerateRequest(string Name, Tier Tier, bool Live)
{
    private const int MaxNameLength = 255;

    /// <summary>Reads the JSON object; null with an error when a field cannot be taken.</summary>
    public static GenerateRequest? Read(JsonElement body, out FieldError? error)
    {
        if (ReadName(body, out error) is not { } name) return null;
        if (ReadTier(body, out error) is not { } tier) return null;
        var mode = ReadText(body, "mode", out var hasMode);
        if (!hasMode || mode is "live" or "test") return new GenerateRequest(name, tier, mode is not "test");
        error = new FieldError("mode", "mode must be \"live\" or \"test\"; leave it out for \"live\".");
        return null;
    }

    private static string? ReadName(JsonElement body, out FieldError? error)
    {
        error = null;
        var name = ReadText(body, "organization_name", out var has);
        var alias = ReadText(body, "org_name", out var hasAlias);
        if (has && hasAlias && name != alias)
        {
            error = new FieldError("organization_name", "organization_name and its alias org_name differ; send one of them.");
            return null;
        }

        name = has ? name : alias;
        if (!string.IsNullOrWhiteSpace(name) && name.Length <= MaxNameLength && !name.Any(char.IsControl)) return name;
        error = new FieldError(
            "organization_name",
            $"organization_name must be a string of 1 to {MaxNameLength} characters, not only spaces and without control characters.");
        return null;
    }

    private static Tier? ReadTier(JsonElement body, out FieldError? error)
    {
        error = null;
        var name = ReadText(body, "tier", out var has);
        var tier = has ? Tier.Find(name ?? "") : Tier.Default;
        if (tier is null) error = new FieldError("tier", $"tier must be one of {Tier.Names}; leave it out for {Tier.Default.Name}.");
        return tier;
    }

    /// <summary>The field's text; null when it is not a string. JSON null counts as absent.</summary>
    private static string? ReadText(JsonElement body, string name, out bool present)
    {
        present = body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;
        return present && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}

/// <summary>What <c>POST /api/keys/rotate</c> asks for.</summary>
/// <param name="Grace">How long the key that is replaced stays valid.</param>
internal sealed record RotateRequest(TimeSpan Grace)
{
    private static readonly int MaxGraceSeconds = (int)TimeSpan.FromDays(7).TotalSeconds;

    /// <summary>Reads the JSON object; null with an error when a field cannot be taken.</summary>
    public static RotateRequest? Read(JsonElement body, out FieldError? error)
    {
        error = null;
        if (!body.TryGetProperty("grace_seconds", out var value) || value.ValueKind == JsonValueKind.Null)
            return new RotateRequest(TimeSpan.Zero);
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var seconds) && seconds >= 0 && seconds <= MaxGraceSeconds)
            return new RotateRequest(TimeSpan.FromSeconds(seconds));
        error = new FieldError("grace_seconds", $"grace_seconds must be a whole number from 0 to {MaxGraceSeconds} (7 days).");
        return null;
    }
}
