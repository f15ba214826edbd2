namespace ZapierTriggers.Core.Storing;

/// <summary>Erases events, and organizations, by request. Failures are <see cref="StoreException"/>.</summary>
internal interface IErasureStore
{
    /// <summary>
    /// Keeps a new erasure; of an organization's also ends its keys, in the same transaction. False when the organization has
    /// <see cref="Erasure.MaxUnfinished"/> unfinished ones. The same again changes nothing.
    /// </summary>
    Task<bool> AddAsync(Erasure erasure, CancellationToken cancellationToken);

    /// <summary>One of the organization's, or null.</summary>
    Task<Erasure?> FindAsync(int organizationNo, Guid id, CancellationToken cancellationToken);

    /// <summary>All that are not finished, of all organizations, oldest first.</summary>
    Task<IReadOnlyList<Erasure>> ReadUnfinishedAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The organization's next events after one id up to another, oldest first: at most <paramref name="limit"/>, and about
    /// <see cref="InboxPage.EndsAtBytes"/> of payload; those of a type only, when one is named.
    /// </summary>
    Task<IReadOnlyList<ScannedEvent>> ScanAsync(
        int organizationNo, EventId after, EventId through, string? type, int limit, CancellationToken cancellationToken);

    /// <summary>Those of the ids that the organization has, stored or set aside.</summary>
    Task<IReadOnlyList<EventId>> FindPresentAsync(int organizationNo, IReadOnlyList<EventId> ids, CancellationToken cancellationToken);

    /// <summary>What was set aside of the organization: few rows, if any.</summary>
    Task<IReadOnlyList<ScannedEvent>> ReadQuarantineAsync(int organizationNo, CancellationToken cancellationToken);

    /// <summary>
    /// Erases those events with all that hangs on them, counts them in the ledger, keeps what must be kept of them, and moves the erasure
    /// on from <paramref name="known"/> to <paramref name="moved"/> plus what was erased, in one transaction. Null, and nothing has
    /// happened, when it is not at <paramref name="known"/> any more.
    /// </summary>
    /// <param name="known">As it was read.</param>
    /// <param name="moved">With its cursor and count of matches moved on.</param>
    /// <param name="ids">What to erase; may be empty.</param>
    /// <param name="journalFrom">A journal may hold events from this id on.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task<Erasure?> EraseAsync(
        Erasure known, Erasure moved, IReadOnlyList<EventId> ids, EventId journalFrom, CancellationToken cancellationToken);

    /// <summary>
    /// Takes what was erased out of the store's files, where copies of it may be left beside the tables' rows; nothing to do when that has
    /// been done since. False when somebody reads there now, and then to be tried again.
    /// </summary>
    Task<bool> TryPurgeAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Takes its selection away, purges (of a dry run that is left to <see cref="TryPurgeAsync"/>), and writes that it is finished. False
    /// as there: it is unfinished then, with <see cref="Erasure.IsJournalErased"/>.
    /// </summary>
    Task<bool> TryFinishAsync(Erasure finished, CancellationToken cancellationToken);

    /// <summary>The erased events that a journal may still hold, of one organization or (null) of all.</summary>
    Task<IReadOnlySet<(int OrganizationNo, EventId Id)>> ReadInJournalAsync(int? organizationNo, CancellationToken cancellationToken);

    /// <summary>Notes that no journal holds them any more.</summary>
    Task ClearInJournalAsync(int organizationNo, CancellationToken cancellationToken);

    /// <summary>
    /// Removes some of an organization's rows from the large tables, at most <paramref name="limit"/> from the last one that it comes to.
    /// Returns how many events were among them, and whether none of these tables has more.
    /// </summary>
    Task<(long Events, bool IsLast)> EraseOrganizationRowsAsync(int organizationNo, int limit, CancellationToken cancellationToken);

    /// <summary>Removes all else that an organization has, and at the very end its own row and its erasure's, in one transaction.</summary>
    Task EndOrganizationAsync(int organizationNo, CancellationToken cancellationToken);
}
