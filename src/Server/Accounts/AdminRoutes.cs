using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// The administrator's calls under <c>/api/admin/organizations</c>. <c>webhookUrlOf</c> gives an organization's default webhook URL or
/// null;
/// <c>hold</c> makes its webhooks wait, or go on.
/// </summary>
internal sealed partial class AdminRoutes(
    AccountDirectory directory,
    IAccountStore store,
    Authentication authentication,
    KeyCalls keys,
    Func<int, string?> webhookUrlOf,
    Action<int, bool> hold,
    TimeProvider time,
    ILogger<AdminRoutes> logger)
{
    private const int MaxBodyBytes = 16 * 1024;
    private const string Collection = "/api/admin/organizations";
    private const string One = "/api/admin/organizations/{id}";

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        var admin = RouteAccess.Admin;
        routes.Map(HttpMethods.Get, Collection, admin, (context, _) => ListAsync(context));
        routes.Map(HttpMethods.Get, One, admin, ReadAsync);
        routes.Map(HttpMethods.Patch, One, admin.Audited("organization.update"), StorageAnswers.Guard(ChangeAsync));
        routes.Map(HttpMethods.Post, One + "/suspend", admin.Audited("organization.suspend"), StorageAnswers.Guard(SuspendAsync));
        routes.Map(HttpMethods.Post, One + "/resume", admin.Audited("organization.resume"), StorageAnswers.Guard(ResumeAsync));
        routes.Map(HttpMethods.Post, One + "/keys", admin.Audited("key.create"), StorageAnswers.Guard(MakeKeyAsync));
    }

    private async Task ListAsync(HttpContext context)
    {
        if (!await authentication.RequireAdminAsync(context)) return;
        if (OrganizationList.Read(context.Request.Query, out var error) is not { } list)
        {
            await error!.AnswerAsync(context);
            return;
        }

        var (page, hasMore) = list.Pick(directory.Organizations);
        await Answers.JsonAsync(context, StatusCodes.Status200OK, (page, hasMore, list.Limit), OrganizationJson.WritePage);
    }

    private async Task ReadAsync(HttpContext context, string? id)
    {
        if (await FindOrAnswerAsync(context, id) is not { } organization) return;
        var state = (organization.Record, webhookUrlOf(organization.No), directory.KeysOf(organization));
        await Answers.JsonAsync(context, StatusCodes.Status200OK, state, OrganizationJson.WriteDetails);
    }

    private async Task ChangeAsync(HttpContext context, string? id)
    {
        if (!await authentication.RequireAdminAsync(context)) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null || await FindOrAnswerAsync(context, id) is not { } organization) return;
        if (OrganizationChange.Apply(organization.Record, body.RootElement, out var error) is not { } changed)
        {
            await error!.AnswerAsync(context);
            return;
        }

        OrganizationChange.Note(organization.Record, changed);
        changed = changed with { UpdatedAt = time.GetMilliseconds() };
        await CertainWrite.RunAsync(async cancelled => { await store.UpdateAsync(changed, cancelled); return true; });
        directory.Change(organization, row => row with
        {
            Name = changed.Name,
            Tier = changed.Tier,
            RateLimitPerMinute = changed.RateLimitPerMinute,
            UpdatedAt = changed.UpdatedAt,
        });
        await Answers.JsonAsync(context, StatusCodes.Status200OK, changed, OrganizationJson.Write);
    }

    private async Task SuspendAsync(HttpContext context, string? id)
    {
        if (!await authentication.RequireAdminAsync(context)) return;
        using var body = JsonBody.IsSent(context) ? await JsonBody.ReadObjectAsync(context, MaxBodyBytes) : JsonDocument.Parse("{}");
        if (body is null || await FindOrAnswerAsync(context, id) is not { } organization) return;
        var reason = OrganizationChange.ReadReason(body.RootElement, out var error);
        if (error is not null)
        {
            await error.AnswerAsync(context);
            return;
        }

        // Once more, it is still suspended since the first time; the reason may be another.
        AuditedCall.Current?.Note("reason", reason);
        var now = time.GetMilliseconds();
        await SetAsync(context, organization, organization.Record.SuspendedAt ?? now, reason, now);
        Log.Suspended(logger, organization.Id);
    }

    private async Task ResumeAsync(HttpContext context, string? id)
    {
        if (await FindOrAnswerAsync(context, id) is not { } organization) return;
        await SetAsync(context, organization, at: null, reason: null, time.GetMilliseconds());
        Log.Resumed(logger, organization.Id);
    }

    private async Task SetAsync(HttpContext context, Organization organization, DateTimeOffset? at, string? reason, DateTimeOffset now)
    {
        var changed = organization.Record with { SuspendedAt = at, SuspendedReason = reason, UpdatedAt = now };
        await CertainWrite.RunAsync(async cancelled => { await store.SuspendAsync(changed, cancelled); return true; });
        directory.Change(organization, row => row with { SuspendedAt = at, SuspendedReason = reason, UpdatedAt = now });
        hold(organization.No, at is not null);
        await Answers.JsonAsync(context, StatusCodes.Status200OK, changed, OrganizationJson.Write);
    }

    private async Task MakeKeyAsync(HttpContext context, string? id)
    {
        if (await FindOrAnswerAsync(context, id) is not { } organization) return;
        await keys.CreateForOwnerAsync(context, organization);
    }

    /// <summary>The organization for the administrator; null after 401 or 404.</summary>
    private async ValueTask<Organization?> FindOrAnswerAsync(HttpContext context, string? id)
    {
        if (!await authentication.RequireAdminAsync(context)) return null;
        if (UuidText.TryParse(id, out var organizationId) && directory.FindById(organizationId) is { } found)
        {
            AuditedCall.Current?.About(found.No, found.Id);
            return found;
        }

        await Answers.ProblemAsync(context, Problem.OrganizationNotFound, "There is no organization with this id.");
        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.AdminRoutesSuspended, LogLevel.Warning,
            "Organization {OrganizationId} is suspended: its keys are refused, its webhooks wait")]
        public static partial void Suspended(ILogger logger, Guid organizationId);

        [LoggerMessage(LogEvents.AdminRoutesResumed, LogLevel.Information, "Organization {OrganizationId} is active again")]
        public static partial void Resumed(ILogger logger, Guid organizationId);
    }
}
