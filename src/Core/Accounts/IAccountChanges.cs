using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Core.Accounts;

/// <summary>
/// What other servers on the same database have changed about organizations, keys and endpoints. Every transaction that changes one of
/// them counts a version up as its last lock, so whoever has read a version has seen all changes up to it. Failures are
/// <see cref="Storing.StoreException"/>.
/// </summary>
internal interface IAccountChanges
{
    /// <summary>The version now. It goes back only when the database has lost commits.</summary>
    Task<long> ReadVersionAsync(CancellationToken cancellationToken);

    /// <summary>The organizations that were changed after that version.</summary>
    Task<IReadOnlyList<int>> ReadChangedAsync(long since, CancellationToken cancellationToken);

    /// <summary>These organizations' rows and keys that have not ended; one that is gone is missing.</summary>
    Task<AccountSnapshot> ReadAccountsAsync(IReadOnlyCollection<int> organizationNos, CancellationToken cancellationToken);

    /// <summary>These organizations' endpoints.</summary>
    Task<IReadOnlyList<EndpointRecord>> ReadEndpointsAsync(IReadOnlyCollection<int> organizationNos, CancellationToken cancellationToken);

    /// <summary>
    /// The erasures of all organizations that are under way or ended after <paramref name="since"/>, dry runs left out; one of a whole
    /// organization goes with the organization at its end.
    /// </summary>
    Task<IReadOnlyList<ErasureElsewhere>> ReadErasuresAsync(DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>
    /// The events that fell to the erasure after its cursor had come to <paramref name="after"/> and up to where it is now; those are left
    /// out that retention would have removed since.
    /// </summary>
    Task<IReadOnlyList<EventId>> ReadErasedAsync(ErasureElsewhere erasure, EventId after, CancellationToken cancellationToken);

    /// <summary>
    /// Calls <paramref name="heard"/> when it begins to listen, for each kind of news, and then whenever there is some, until it is
    /// cancelled or the connection breaks, which is thrown. Just a hint: the database is looked at anyway.
    /// </summary>
    Task ListenAsync(Action<StoreNews> heard, CancellationToken cancellationToken);
}

/// <summary>An erasure as other servers see it.</summary>
/// <param name="OrganizationNo">The organization.</param>
/// <param name="Id">Its own id.</param>
/// <param name="Kind">What goes.</param>
/// <param name="Erased">Events erased so far.</param>
/// <param name="Cursor">How far it has come: it only grows, and never within a chunk.</param>
/// <param name="FinishedAt">When it ended; null while it is under way.</param>
internal readonly record struct ErasureElsewhere(
    int OrganizationNo, Guid Id, Storing.ErasureKind Kind, long Erased, EventId Cursor, DateTimeOffset? FinishedAt);

/// <summary>What servers on one database tell each other of.</summary>
internal enum StoreNews
{
    /// <summary>Organizations, keys or endpoints have changed.</summary>
    Accounts,

    /// <summary>A server that stops has given claimed retries back.</summary>
    Retries,

    /// <summary>Events have been erased.</summary>
    Erasures,
}
