namespace ZapierTriggers.Core.Usage;

/// <summary>
/// Sums of usage by organization and UTC day, which are only ever added to. Accepted and delivered are counted by the stores themselves in
/// the transactions that store them. Failures are <see cref="Storing.StoreException"/>.
/// </summary>
internal interface IUsageStore
{
    /// <summary>Adds to the sums of those organizations that are there; of one that is erased nothing is written.</summary>
    Task AddAsync(IReadOnlyList<UsageSum> sums, CancellationToken cancellationToken);

    /// <summary>An organization's sums of these days, both included, in no order.</summary>
    Task<IReadOnlyList<UsageSum>> ReadAsync(int organizationNo, int fromDay, int toDay, CancellationToken cancellationToken);

    /// <summary>
    /// What counts for quotas of these days, both included: accepted events without those that the server has told. Organizations without
    /// any are missing.
    /// </summary>
    /// <param name="organizationNos">Which; null = all.</param>
    /// <param name="fromDay">The month's first day.</param>
    /// <param name="toDay">Its last.</param>
    /// <param name="journalId">Whose events are this server's own.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task<IReadOnlyList<QuotaSum>> ReadQuotaAsync(
        int[]? organizationNos, int fromDay, int toDay, Guid journalId, CancellationToken cancellationToken);

    /// <summary>
    /// Takes it on to tell an organization something; false when that has been told at or after <paramref name="toldBefore"/>, or another
    /// server does it now, or the organization is erased.
    /// </summary>
    Task<bool> ClaimNewsAsync(
        int organizationNo, UsageNews news, DateTimeOffset toldBefore, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Remembers that it was told.</summary>
    Task NoteToldAsync(int organizationNo, UsageNews news, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>
    /// The days from <paramref name="fromDay"/> on whose accepted events are not as many as the ledger's, over all organizations. At most
    /// <paramref name="limit"/>.
    /// </summary>
    Task<IReadOnlyList<UsageDifference>> FindDifferencesAsync(int fromDay, int limit, CancellationToken cancellationToken);

    /// <summary>Removes sums of the days before, of all organizations, at most so many. Whether there may be more.</summary>
    Task<bool> ForgetAsync(int beforeDay, int limit, CancellationToken cancellationToken);
}

/// <summary>A day whose usage is not what the ledger says.</summary>
/// <param name="OrganizationNo">The organization.</param>
/// <param name="Day">Days since 1970-01-01.</param>
/// <param name="Ledger">Accepted, by the ledger.</param>
/// <param name="Usage">Accepted, by the usage.</param>
internal readonly record struct UsageDifference(int OrganizationNo, int Day, long Ledger, long Usage);

/// <summary>What an organization has used of its quota.</summary>
/// <param name="OrganizationNo">Whose.</param>
/// <param name="Own">Through the journal that was asked with.</param>
/// <param name="Others">Through other servers' journals.</param>
internal readonly record struct QuotaSum(int OrganizationNo, long Own, long Others);

/// <summary>What organizations are told of their usage; the numbers are stored.</summary>
internal enum UsageNews
{
    /// <summary>80 % of the rate limit were used; at most once an hour.</summary>
    RateLimitWarning = 1,

    /// <summary>All of the rate limit was used; at most once an hour.</summary>
    RateLimitReached = 2,

    /// <summary>80 % of the month's quota are used; once a month.</summary>
    QuotaWarning = 3,

    /// <summary>All of the month's quota is used; once a month.</summary>
    QuotaReached = 4,
}
