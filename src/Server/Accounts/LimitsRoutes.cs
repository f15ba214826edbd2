using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Usage;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// <c>GET /api/limits</c>: what an organization may do and how much of it is left. <c>endpointsOf</c> counts its endpoints. Asking uses up
/// nothing.
/// </summary>
internal sealed class LimitsRoutes(
    AccountDirectory directory,
    Authentication authentication,
    KeyOptions keys,
    int maxEndpoints,
    Func<int, int> endpointsOf,
    MonotonicClock clock,
    MonthlyQuotas? quotas = null)
{
    private const int RateWindowSeconds = 60;
    private static readonly TimeSpan DedupWindow = TimeSpan.FromHours(24);

    /// <summary>Adds the route.</summary>
    public void Map(RouteTable routes) =>
        routes.Map(HttpMethods.Get, "/api/limits", RouteAccess.AnyKey, (context, _) => ReadAsync(context));

    private async Task ReadAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context) is not { } key) return;
        var organization = key.Organization;
        var rate = organization.Window.Look(clock.Milliseconds);
        var used = (directory.KeysOf(organization).Count, endpointsOf(organization.No));
        await Answers.JsonAsync(context, StatusCodes.Status200OK, (organization.Record, rate, quotas?.StateOf(organization), used), Write);
    }

    private void Write(
        Utf8JsonWriter writer, (OrganizationRecord Record, RateDecision Rate, QuotaState? Quota, (int Keys, int Endpoints) Used) state)
    {
        var (record, rate, quota, used) = state;
        writer.WriteStartObject();
        writer.WriteString("organization_id"u8, record.Id);
        writer.WriteString("tier"u8, record.Tier);
        WriteRate(writer, rate);
        UsageReport.WriteQuota(writer, quota);
        writer.WriteStartObject("payload"u8);
        writer.WriteNumber("max_bytes"u8, EventLimits.MaxPayloadBytes);
        writer.WriteNumber("max_body_bytes"u8, EventLimits.MaxBodyBytes);
        writer.WriteEndObject();
        writer.WriteStartObject("batch"u8);
        writer.WriteNumber("max_events"u8, EventLimits.MaxBatchItems);
        writer.WriteNumber("max_bytes"u8, EventLimits.MaxBatchBytes);
        writer.WriteEndObject();
        writer.WriteNumber("dedup_window_seconds"u8, (int)DedupWindow.TotalSeconds);
        writer.WriteNumber("idempotency_window_seconds"u8, (int)DedupWindow.TotalSeconds);
        WriteCap(writer, "endpoints"u8, maxEndpoints, used.Endpoints);
        WriteCap(writer, "keys"u8, keys.MaxPerOrganization, used.Keys);
        writer.WriteEndObject();
    }

    private static void WriteRate(Utf8JsonWriter writer, RateDecision rate)
    {
        writer.WriteStartObject("rate_limit"u8);
        writer.WriteNullable("limit"u8, rate.HasLimit ? rate.Limit : null);
        writer.WriteNumber("window_seconds"u8, RateWindowSeconds);
        writer.WriteNullable("remaining"u8, rate.HasLimit ? rate.Remaining : null);
        writer.WriteNullable("reset_seconds"u8, rate.HasLimit ? rate.ResetSeconds : null);
        writer.WriteEndObject();
    }

    private static void WriteCap(Utf8JsonWriter writer, ReadOnlySpan<byte> name, int limit, int used)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("limit"u8, limit);
        writer.WriteNumber("used"u8, used);
        writer.WriteEndObject();
    }
}
