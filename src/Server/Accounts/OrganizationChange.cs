using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>What the administrator changes of an organization.</summary>
internal static class OrganizationChange
{
    private const int MaxTextLength = 255;

    /// <summary>
    /// <c>{"tier", "rate_limit_per_minute": n | null, "name"}</c>: a tier brings its limit along unless one is given; null = no limit. The
    /// row as it is to be; null with an error when a field cannot be taken.
    /// </summary>
    public static OrganizationRecord? Apply(OrganizationRecord record, JsonElement body, out FieldError? error)
    {
        error = null;
        if (body.TryGetProperty("tier", out var tierName))
        {
            if (tierName.ValueKind != JsonValueKind.String || Tier.Find(tierName.GetString()!) is not { } tier)
            {
                error = new FieldError("tier", $"tier is one of {Tier.Names}.");
                return null;
            }

            record = record with { Tier = tier.Name, RateLimitPerMinute = tier.RateLimitPerMinute };
        }

        if (body.TryGetProperty("name", out var name))
        {
            if (!IsText(name))
            {
                error = new FieldError(
                    "name", $"name is a string of 1 to {MaxTextLength} characters, not only spaces and without control characters.");
                return null;
            }

            record = record with { Name = name.GetString()! };
        }

        if (!body.TryGetProperty("rate_limit_per_minute", out var limit)) return record;
        if (limit.ValueKind == JsonValueKind.Null) return record with { RateLimitPerMinute = null };
        if (limit.ValueKind == JsonValueKind.Number && limit.TryGetInt32(out var value) && value is > 0 and < int.MaxValue)
            return record with { RateLimitPerMinute = value };
        error = new FieldError("rate_limit_per_minute", "rate_limit_per_minute is a whole number from 1 on, or null for no limit.");
        return null;
    }

    /// <summary><c>{"reason"}</c>, which may be left out. The error is null when it can be taken.</summary>
    public static string? ReadReason(JsonElement body, out FieldError? error)
    {
        error = null;
        if (!body.TryGetProperty("reason", out var reason) || reason.ValueKind == JsonValueKind.Null) return null;
        if (IsText(reason)) return reason.GetString();
        error = new FieldError(
            "reason", $"reason is a string of 1 to {MaxTextLength} characters without control characters; it may be left out.");
        return null;
    }

    /// <summary>Notes for the audit log what differs.</summary>
    public static void Note(OrganizationRecord before, OrganizationRecord after)
    {
        if (AuditedCall.Current is not { } call) return;
        if (before.Name != after.Name) call.Note("name", after.Name);
        if (before.Tier != after.Tier) call.Note("tier", after.Tier);
        if (before.RateLimitPerMinute != after.RateLimitPerMinute) call.Note("rate_limit_per_minute", after.RateLimitPerMinute);
    }

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String
        && value.GetString() is { Length: > 0 and <= MaxTextLength } text
        && !string.IsNullOrWhiteSpace(text) && !text.Any(char.IsControl);
}
