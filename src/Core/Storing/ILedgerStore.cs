namespace ZapierTriggers.Core.Storing;

/// <summary>The account of an organization's events. Failures are <see cref="StoreException"/>.</summary>
internal interface ILedgerStore
{
    /// <summary>
    /// The organization's ledger, all of it as of one moment. Counts what is there by its status, so it costs a scan of the organization's
    /// rows.
    /// </summary>
    Task<Ledger> ReadAsync(int organizationNo, CancellationToken cancellationToken);

    /// <summary>The same over all organizations together. Costs a scan of all rows.</summary>
    Task<Ledger> ReadTotalsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The days on which rows and sums differ, over all organizations and as of one moment: accepted is not what is there plus what has
    /// expired and was erased. At most <paramref name="limit"/>.
    /// </summary>
    Task<IReadOnlyList<LedgerDifference>> FindDifferencesAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Rows that hang on an event that is neither stored nor set aside, by table; only tables that have some.</summary>
    Task<IReadOnlyList<(string Table, long Rows)>> FindOrphansAsync(CancellationToken cancellationToken);
}

/// <summary>Where accepted events are, an organization's or all. Each is in exactly one place.</summary>
internal sealed record Ledger
{
    /// <summary>Events stored, as counted when they were.</summary>
    public required long Accepted { get; init; }

    /// <summary>Neither delivered, acknowledged nor given up.</summary>
    public required long Pending { get; init; }

    /// <summary>Of those, the ones whose webhook has failed and is tried again.</summary>
    public required long Retrying { get; init; }

    /// <summary>Delivered to at least one endpoint, and not acknowledged.</summary>
    public required long Delivered { get; init; }

    /// <summary>Acknowledged.</summary>
    public required long Acknowledged { get; init; }

    /// <summary>Given up at every endpoint that they were sent to.</summary>
    public required long Dead { get; init; }

    /// <summary>Refused by the database, and kept in its quarantine.</summary>
    public required long SetAside { get; init; }

    /// <summary>Removed by retention.</summary>
    public required long Expired { get; init; }

    /// <summary>Erased by request.</summary>
    public required long Erased { get; init; }

    /// <summary>The sum of all places.</summary>
    public long Accounted => Pending + Delivered + Acknowledged + Dead + SetAside + Expired + Erased;
}

/// <summary>A day that does not add up.</summary>
/// <param name="OrganizationNo">The organization.</param>
/// <param name="Day">Days since 1970-01-01.</param>
/// <param name="Accepted">Counted when stored.</param>
/// <param name="Present">Rows there now, those set aside too.</param>
/// <param name="Removed">Expired and erased.</param>
internal readonly record struct LedgerDifference(int OrganizationNo, int Day, long Accepted, long Present, long Removed);
