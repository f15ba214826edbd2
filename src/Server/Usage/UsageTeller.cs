using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Usage;

/// <summary>
/// Tells organizations at 80 % and at all of their rate limit and quota. Who tells claims that in the store first, so that of several
/// servers one does; what was told is remembered there. The dedup id is the same within the month, or for a rate limit within the hour of
/// the clock, so that what is told again after a crash in between is the same event; only over that hour's edge it may come twice. Not for
/// concurrent use.
/// </summary>
internal sealed partial class UsageTeller(
    AccountDirectory accounts, MonthlyQuotas? quotas, IUsageStore store, TellOrganization tell, TimeProvider time,
    ILogger<UsageTeller> logger)
{
    // Until when there is nothing to do about a kind, whatever comes; only of organizations that have come near a limit.
    private readonly Dictionary<(int OrganizationNo, UsageNews News), DateTimeOffset> _quietUntil = [];
    private readonly Dictionary<(int OrganizationNo, UsageNews News), Debt> _owed = [];

    /// <summary>One look at all organizations. Throws <see cref="StoreException"/>; what is owed is told at a later look.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        foreach (var organization in accounts.Organizations)
        {
            var rate = organization.Usage.TakeRate();
            var limit = organization.Record.RateLimitPerMinute;
            if (rate > 0) Owe(organization, UsageNews.RateLimitWarning, limit, now);
            if (rate > 1) Owe(organization, UsageNews.RateLimitReached, limit, now);
            if (quotas is not null && organization.Quota.TakeNews()) LookAtQuota(organization, quotas.StateOf(organization), now);
        }

        foreach (var owed in _owed.Where(pair => pair.Value.DueAt <= now).Select(pair => pair.Key).Order().ToList())
            await TellAsync(owed.OrganizationNo, owed.News, now, cancellationToken);
    }

    private void LookAtQuota(Organization organization, in QuotaState state, DateTimeOffset now)
    {
        if (IsNews(UsageNews.QuotaWarning, state)) Owe(organization, UsageNews.QuotaWarning, state.Limit, now);
        if (IsNews(UsageNews.QuotaReached, state)) Owe(organization, UsageNews.QuotaReached, state.Limit, now);
    }

    private static bool IsNews(UsageNews news, in QuotaState state) =>
        state.Limit is { } limit && (news == UsageNews.QuotaReached ? state.Remaining == 0 : state.Remaining <= limit / 5);

    private void Owe(Organization organization, UsageNews news, long? limit, DateTimeOffset now)
    {
        var key = (organization.No, news);
        if (_quietUntil.TryGetValue(key, out var until) && until > now) return;
        _owed[key] = new Debt(_owed.TryGetValue(key, out var known) ? known.DueAt : now, limit, now);
    }

    private async Task TellAsync(int no, UsageNews news, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var key = (no, news);
        if (accounts.FindByNo(no) is not { } organization || EventOf(organization, news, now) is not { } told)
        {
            _owed.Remove(key);
            return;
        }

        if (!await store.ClaimNewsAsync(no, news, UsageNewsTimes.ToldBefore(news, now), now, cancellationToken))
        {
            // Told already, or told by another server now: if that one dies, whoever comes near the limit again is told.
            _owed.Remove(key);
            _quietUntil[key] = now + UsageNewsTimes.ClaimLasts;
            return;
        }

        if (!await tell(told))
        {
            // After the claim's own time.
            _owed[key] = _owed[key] with { DueAt = now + UsageNewsTimes.ClaimLasts + TimeSpan.FromMilliseconds(1) };
            return;
        }

        await store.NoteToldAsync(no, news, now, cancellationToken);
        _owed.Remove(key);
        _quietUntil[key] = news is UsageNews.RateLimitWarning or UsageNews.RateLimitReached
            ? now + UsageNewsTimes.RateLimit : UsageTime.MonthEndOf(now);
        Log.Told(logger, told.Type, organization.Id);
    }

    /// <summary>
    /// Null when it is not so any more: the limit is another one since it was owed, the month is over, or something was given back. Telling
    /// that would be wrong, and would keep the news that comes next from being told.
    /// </summary>
    private OperationalEvent? EventOf(Organization organization, UsageNews news, DateTimeOffset now)
    {
        var (debt, isReached) = (_owed[(organization.No, news)], news is UsageNews.RateLimitReached or UsageNews.QuotaReached);
        if (news is UsageNews.RateLimitWarning or UsageNews.RateLimitReached)
        {
            return organization.Record.RateLimitPerMinute is { } limit && limit == debt.Limit
                ? OperationalEvent.RateLimit(organization, isReached, limit, now) : null;
        }

        return quotas?.StateOf(organization) is { } state && state.ResetsAt == UsageTime.MonthEndOf(debt.Since) && IsNews(news, state)
            ? OperationalEvent.Quota(organization, isReached, state) : null;
    }

    /// <summary>What an organization is to be told.</summary>
    /// <param name="DueAt">Not before this time.</param>
    /// <param name="Limit">The limit that was used.</param>
    /// <param name="Since">When that was seen last.</param>
    private readonly record struct Debt(DateTimeOffset DueAt, long? Limit, DateTimeOffset Since);

    private static partial class Log
    {
        [LoggerMessage(LogEvents.UsageTellerTold, LogLevel.Information, "Organization {OrganizationId} is told {Type}")]
        public static partial void Told(ILogger logger, string type, Guid organizationId);
    }
}
