using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Usage;

/// <summary>
/// Tells organizations at 80 % and at all of their rate limit and quota. Who tells claims that in the store first, so that of several
/// servers one does; what was told is remembered there, under the same dedup id each time, so a crash in between neither loses nor doubles
/// it. Not for concurrent use.
/// </summary>
internal sealed partial class UsageTeller(
    AccountDirectory accounts, MonthlyQuotas? quotas, IUsageStore store, TellOrganization tell, TimeProvider time,
    ILogger<UsageTeller> logger)
{
    // Until when there is nothing to do about a kind, whatever comes; only of organizations that have come near a limit.
    private readonly Dictionary<(int OrganizationNo, UsageNews News), DateTimeOffset> _quietUntil = [];
    private readonly Dictionary<(int OrganizationNo, UsageNews News), DateTimeOffset> _owed = [];

    /// <summary>One look at all organizations. Throws <see cref="StoreException"/>; what is owed is told at a later look.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        foreach (var organization in accounts.Organizations)
        {
            var rate = organization.Usage.TakeRate();
            if (rate > 0) Owe(organization, UsageNews.RateLimitWarning, now);
            if (rate > 1) Owe(organization, UsageNews.RateLimitReached, now);
            if (quotas is not null && organization.Quota.TakeNews()) LookAtQuota(organization, quotas.StateOf(organization), now);
        }

        foreach (var owed in _owed.Where(pair => pair.Value <= now).Select(pair => pair.Key).Order().ToList())
            await TellAsync(owed.OrganizationNo, owed.News, now, cancellationToken);
    }

    private void LookAtQuota(Organization organization, in QuotaState state, DateTimeOffset now)
    {
        if (state.Limit is not { } limit || state.Remaining > limit / 5) return;
        Owe(organization, UsageNews.QuotaWarning, now);
        if (state.Remaining == 0) Owe(organization, UsageNews.QuotaReached, now);
    }

    private void Owe(Organization organization, UsageNews news, DateTimeOffset now)
    {
        if (!_quietUntil.TryGetValue((organization.No, news), out var until) || until <= now) _owed.TryAdd((organization.No, news), now);
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
            _owed[key] = now + UsageNewsTimes.ClaimLasts + TimeSpan.FromMilliseconds(1); // the claim's own time
            return;
        }

        await store.NoteToldAsync(no, news, now, cancellationToken);
        _owed.Remove(key);
        _quietUntil[key] = news is UsageNews.RateLimitWarning or UsageNews.RateLimitReached
            ? now + UsageNewsTimes.RateLimit : UsageTime.MonthEndOf(now);
        Log.Told(logger, told.Type, organization.Id);
    }

    /// <summary>Null when there is no such limit any more.</summary>
    private OperationalEvent? EventOf(Organization organization, UsageNews news, DateTimeOffset now)
    {
        var isReached = news is UsageNews.RateLimitReached or UsageNews.QuotaReached;
        if (news is UsageNews.RateLimitWarning or UsageNews.RateLimitReached)
            return organization.Record.RateLimitPerMinute is { } limit ? OperationalEvent.RateLimit(organization, isReached, limit, now) : null;
        return quotas?.StateOf(organization) is { Limit: not null } state ? OperationalEvent.Quota(organization, isReached, state) : null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.UsageTellerTold, LogLevel.Information, "Organization {OrganizationId} is told {Type}")]
        public static partial void Told(ILogger logger, string type, Guid organizationId);
    }
}
