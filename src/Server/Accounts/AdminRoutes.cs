using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>The administrator's calls under <c>/api/admin</c>.</summary>
internal sealed class AdminRoutes(AccountDirectory directory, IAccountStore store, Authentication authentication, TimeProvider time)
{
    private const int MaxBodyBytes = 16 * 1024;

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes) => routes.Map(HttpMethods.Patch, "/api/admin/organizations/{id}", StorageAnswers.Guard(ChangeAsync));

    /// <summary>
    /// <c>{"tier", "rate_limit_per_minute": n | null}</c>: a tier brings its limit along unless one is given; null = no limit.
    /// </summary>
    private async Task ChangeAsync(HttpContext context, string? id)
    {
        if (!await authentication.RequireAdminAsync(context)) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null) return;
        if (!UuidText.TryParse(id, out var organizationId) || directory.FindById(organizationId) is not { } organization)
        {
            await Answers.ProblemAsync(context, Problem.OrganizationNotFound, "There is no organization with this id.");
            return;
        }

        if (Changed(organization.Record, body.RootElement, out var error) is not { } changed)
        {
            await error!.AnswerAsync(context);
            return;
        }

        changed = changed with { UpdatedAt = time.GetMilliseconds() };
        await CertainWrite.RunAsync(async cancelled => { await store.UpdateAsync(changed, cancelled); return true; });
        directory.Change(organization, row => row with { Tier = changed.Tier, RateLimitPerMinute = changed.RateLimitPerMinute, UpdatedAt = changed.UpdatedAt });
        await Answers.JsonAsync(context, StatusCodes.Status200OK, changed, static (writer, record) =>
        {
            writer.WriteStartObject();
            writer.WriteString("organization_id"u8, record.Id);
            writer.WriteString("organization_name"u8, record.Name);
            writer.WriteString("tier"u8, record.Tier);
            writer.WriteNullable("rate_limit_per_minute"u8, record.RateLimitPerMinute);
            writer.WriteTime("updated_at"u8, record.UpdatedAt);
            writer.WriteEndObject();
        });
    }

    private static OrganizationRecord? Changed(OrganizationRecord record, JsonElement body, out FieldError? error)
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

        if (!body.TryGetProperty("rate_limit_per_minute", out var limit)) return record;
        if (limit.ValueKind == JsonValueKind.Null) return record with { RateLimitPerMinute = null };
        if (limit.ValueKind == JsonValueKind.Number && limit.TryGetInt32(out var value) && value is > 0 and < int.MaxValue) return record with { RateLimitPerMinute = value };
        error = new FieldError("rate_limit_per_minute", "rate_limit_per_minute is a whole number from 1 on, or null for no limit.");
        return null;
    }
}
