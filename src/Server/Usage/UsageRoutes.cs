using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Usage;

/// <summary>What an organization has used day by day, for itself and for the administrator.</summary>
internal sealed class UsageRoutes(
    UsageUpkeep usage, MonthlyQuotas? quotas, AccountDirectory accounts, Authentication authentication,
    StoredBarrier barrier, TimeProvider time)
{
    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.Map(HttpMethods.Get, "/api/usage", RouteAccess.AnyKey, StorageAnswers.Guard((context, _) => OwnAsync(context)));
        routes.Map(HttpMethods.Get, "/api/admin/organizations/{id}/usage", RouteAccess.Admin, StorageAnswers.Guard(OfAnyAsync));
    }

    private async Task OwnAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context) is { } key) await AnswerAsync(context, key.Organization);
    }

    private async Task OfAnyAsync(HttpContext context, string? id)
    {
        if (!await authentication.RequireAdminAsync(context)) return;
        var organization = UuidText.TryParse(id, out var organizationId) ? accounts.FindById(organizationId) : null;
        if (organization is not null) await AnswerAsync(context, organization);
        else await Answers.ProblemAsync(context, Problem.OrganizationNotFound, "There is no organization with this id.");
    }

    private async Task AnswerAsync(HttpContext context, Organization organization)
    {
        if (UsageParameters.Read(context.Request.Query, time.GetUtcNow(), out var error) is not { } parameters)
        {
            await error!.AnswerAsync(context);
            return;
        }

        if (!await barrier(organization, context.RequestAborted))
        {
            await StorageAnswers.UnavailableAsync(context);
            return;
        }

        var (from, to) = parameters.Days;
        var sums = await usage.ReadAsync(organization, from, to, context.RequestAborted);
        var quota = quotas?.StateOf(organization) ?? await ReadMonthAsync(organization, context.RequestAborted);
        var report = new UsageReport(organization.Record, parameters, sums, quota);
        await Answers.JsonAsync(context, StatusCodes.Status200OK, report, static (writer, state) => state.Write(writer));
    }

    /// <summary>Without quotas nothing is counted in memory: the store knows the month.</summary>
    private async Task<QuotaState> ReadMonthAsync(Organization organization, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var sums = await usage.ReadAsync(organization, UsageTime.DayOf(UsageTime.MonthOf(now)), UsageTime.DayOf(now), cancellationToken);
        var used = sums.Sum(static sum => sum.Kind switch
        {
            UsageKind.Accepted => sum.Events,
            UsageKind.Operational => -sum.Events,
            _ => 0,
        });
        return QuotaState.Of(limit: null, used, now);
    }
}
