using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Usage;

/// <summary>
/// Monthly quotas, as the request path asks for them: memory only. What a server itself accepts is counted as it happens; what others on
/// the same database accept comes with the next <see cref="RefreshAsync"/>, so that together they may let through what they take in
/// between. Only made when quotas are on.
/// </summary>
internal sealed class MonthlyQuotas(QuotaOptions options, AccountDirectory accounts, TimeProvider time)
{
    private Dictionary<int, long> _unstored = [];

    /// <summary>The organization's quota; <see cref="long.MaxValue"/> = none.</summary>
    public long LimitOf(Organization organization) => options.LimitOf(organization.Record.Tier) ?? long.MaxValue;

    /// <summary>Whether the organization has nothing left. Takes nothing.</summary>
    public bool IsSpent(Organization organization)
    {
        var isSpent = organization.Quota.IsSpent(LimitOf(organization), time.GetUtcNow());
        if (isSpent) organization.Quota.Note();
        return isSpent;
    }

    /// <summary>Takes a turn for one event; false when there is none left. <see cref="GiveBack"/> if it is not accepted.</summary>
    public bool TryTake(Organization organization)
    {
        var granted = organization.Quota.TakeUpTo(1, LimitOf(organization), time.GetUtcNow());
        organization.Quota.Note();
        return granted > 0;
    }

    /// <summary>Gives turns back.</summary>
    public void GiveBack(Organization organization, int count) => organization.Quota.GiveBack(count, time.GetUtcNow());

    /// <summary>
    /// What is used and left of the organization's quota now, with what others have accepted up to the last <see cref="RefreshAsync"/>. The
    /// next one reads it for this organization too, also where nobody sends: a server may only be asked while another takes the events.
    /// </summary>
    public QuotaState StateOf(Organization organization)
    {
        organization.Quota.NoteRefresh();
        var now = time.GetUtcNow();
        var limit = LimitOf(organization);
        organization.Quota.IsSpent(limit, now); // a new month may have come
        return QuotaState.Of(limit == long.MaxValue ? null : limit, organization.Quota.Used, now);
    }

    /// <summary>Begins to count, from nothing, what the journal holds that is not stored yet.</summary>
    public Action<JournaledEvent> CountUnstored()
    {
        var (unstored, month) = (new Dictionary<int, long>(), UsageTime.MonthOf(time.GetUtcNow()).ToUnixTimeMilliseconds());
        _unstored = unstored;
        return item =>
        {
            if (item.IsOperational || item.Id.UnixMilliseconds < month) return;
            unstored[item.OrganizationNo] = unstored.GetValueOrDefault(item.OrganizationNo) + 1;
        };
    }

    /// <summary>
    /// Loads the month so far: what is stored, and what the journal holds behind that. While nothing is taken or stored
    /// through this journal.
    /// Throws <see cref="StoreException"/>.
    /// </summary>
    public async Task LoadAsync(IUsageStore store, Guid journalId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (from, to) = DaysOf(UsageTime.MonthOf(now));
        var sums = await store.ReadQuotaAsync(organizationNos: null, from, to, journalId, cancellationToken);
        var stored = sums.ToDictionary(static sum => sum.OrganizationNo);
        foreach (var no in stored.Keys.Union(_unstored.Keys))
        {
            var sum = stored.GetValueOrDefault(no);
            accounts.FindByNo(no)?.Quota.Load(sum.Own + _unstored.GetValueOrDefault(no), sum.Others, now);
        }
    }

    /// <summary>
    /// Reads what other servers have accepted of those organizations that have sent something, or asked, since the last call. Throws
    /// <see cref="StoreException"/>.
    /// </summary>
    public async Task RefreshAsync(IUsageStore store, Guid journalId, CancellationToken cancellationToken)
    {
        var active = accounts.Organizations.Where(static one => one.Quota.TakeRefresh()).ToList();
        if (active.Count == 0) return;
        var month = UsageTime.MonthOf(time.GetUtcNow());
        var (from, to) = DaysOf(month);
        var sums = await store.ReadQuotaAsync([.. active.Select(static one => one.No)], from, to, journalId, cancellationToken);
        foreach (var sum in sums) accounts.FindByNo(sum.OrganizationNo)?.Quota.SetOthers(sum.Others, month);
    }

    private static (int From, int To) DaysOf(DateTimeOffset month) =>
        (UsageTime.DayOf(month), UsageTime.DayOf(month.AddMonths(1)) - 1);
}

/// <summary>What is used and left of a quota.</summary>
/// <param name="Limit">Events in a UTC month; null = no quota.</param>
/// <param name="Used">Accepted in this month.</param>
/// <param name="Remaining">Left; null = no quota.</param>
/// <param name="ResetsAt">When the UTC month ends.</param>
internal readonly record struct QuotaState(long? Limit, long Used, long? Remaining, DateTimeOffset ResetsAt)
{
    /// <summary>The state at a time.</summary>
    public static QuotaState Of(long? limit, long used, DateTimeOffset now) =>
        new(limit, used, limit is { } most ? Math.Max(0, most - used) : null, UsageTime.MonthEndOf(now));
}
