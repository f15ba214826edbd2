using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Tests.Unit.Usage;

/// <summary>Usage in memory, which can be away.</summary>
internal sealed class MemoryUsageStore : IUsageStore
{
    private readonly Dictionary<(int, UsageNews), (DateTimeOffset ClaimedAt, DateTimeOffset? ToldAt)> _news = [];

    public bool IsAway { get; set; }

    /// <summary>What a write fails with, once.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Completes before a write has happened, and before a read answers; null = at once.</summary>
    public Task? WriteGate { get; set; }

    public Task? ReadGate { get; set; }

    public int Reads { get; private set; }

    /// <summary>Before which days sums were removed; twice there are more.</summary>
    public List<int> Forgotten { get; } = [];

    public List<UsageSum> Sums { get; } = [];

    public List<QuotaSum> Quotas { get; } = [];

    public List<int[]?> Asked { get; } = [];

    public async Task AddAsync(IReadOnlyList<UsageSum> sums, CancellationToken cancellationToken)
    {
        RequireThere();
        if (Failure is { } failure)
        {
            Failure = null;
            throw failure;
        }

        if (WriteGate is { } gate) await gate;
        Sums.AddRange(sums);
    }

    public async Task<IReadOnlyList<UsageSum>> ReadAsync(int organizationNo, int fromDay, int toDay, CancellationToken cancellationToken)
    {
        Reads++;
        UsageSum[] found = [.. Sums.Where(sum => sum.OrganizationNo == organizationNo && sum.Day >= fromDay && sum.Day <= toDay)];
        if (ReadGate is { } gate) await gate;
        return found;
    }

    public Task<IReadOnlyList<QuotaSum>> ReadQuotaAsync(
        int[]? organizationNos, int fromDay, int toDay, Guid journalId, CancellationToken cancellationToken)
    {
        Asked.Add(organizationNos);
        return Task.FromResult<IReadOnlyList<QuotaSum>>(Quotas);
    }

    public Task<bool> ClaimNewsAsync(
        int organizationNo, UsageNews news, DateTimeOffset toldBefore, DateTimeOffset now, CancellationToken cancellationToken)
    {
        RequireThere();
        if (_news.TryGetValue((organizationNo, news), out var known)
            && (known.ToldAt >= toldBefore || known.ClaimedAt >= now - UsageNewsTimes.ClaimLasts)) return Task.FromResult(false);
        _news[(organizationNo, news)] = (now, known.ToldAt);
        return Task.FromResult(true);
    }

    public Task NoteToldAsync(int organizationNo, UsageNews news, DateTimeOffset at, CancellationToken cancellationToken)
    {
        _news[(organizationNo, news)] = (at, at);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<UsageDifference>> FindDifferencesAsync(int fromDay, int limit, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<UsageDifference>>([]);

    public Task<bool> ForgetAsync(int beforeDay, int limit, CancellationToken cancellationToken)
    {
        Forgotten.Add(beforeDay);
        return Task.FromResult(Forgotten.Count < 3);
    }

    private void RequireThere()
    {
        if (IsAway) throw new StoreException(StoreFailure.Unavailable, "away");
    }
}
