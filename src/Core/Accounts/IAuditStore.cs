namespace ZapierTriggers.Core.Accounts;

/// <summary>
/// Where audit entries are kept. Most are added by the other stores, in the transaction of the change (see <see cref="AuditedCall"/>);
/// none is ever changed or removed. Failures are <see cref="Storing.StoreException"/>.
/// </summary>
internal interface IAuditStore
{
    /// <summary>Adds an entry for what is not changed in the database. The same again changes nothing.</summary>
    Task AppendAsync(AuditEntry entry, CancellationToken cancellationToken);

    /// <summary>Reads entries, newest first, and whether more follow.</summary>
    Task<(IReadOnlyList<AuditEntry> Entries, bool HasMore)> ReadAsync(AuditQuery query, CancellationToken cancellationToken);
}
