using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage.Postgres;
using ZapierTriggers.Server.Storage.Sqlite;

namespace ZapierTriggers.Server.Storage;

/// <summary>The three stores over one database, which may be away. Disposing it closes the database.</summary>
/// <param name="Events">Events, inbox, shards.</param>
/// <param name="Deliveries">Endpoints, lanes, retries, outcomes.</param>
/// <param name="DeadLetters">Dead letters and replays.</param>
/// <param name="Accounts">Organizations and keys.</param>
/// <param name="Replays">What comparing the journal with the store takes.</param>
/// <param name="Data">Retention, erasure and the ledger.</param>
/// <param name="PrepareAsync">
/// Connects, looks at version and settings, and brings the schema up to date; before anything else, and as often as it takes. Throws
/// <see cref="StoreException"/>: <see cref="StoreFailure.Unavailable"/> while the database is away, <see cref="StoreFailure.Fault"/> when
/// it cannot be used as it is.
/// </param>
/// <param name="Database">What is open.</param>
internal sealed record StoreSet(
    IEventStore Events,
    IDeliveryStore Deliveries,
    IDeadLetterStore DeadLetters,
    IAccountStore Accounts,
    IReplayStore Replays,
    DataStores Data,
    Func<CancellationToken, Task<StoreFacts>> PrepareAsync,
    IAsyncDisposable Database) : IAsyncDisposable
{
    /// <summary>Who changed what.</summary>
    public required IAuditStore Audit { get; init; }

    /// <summary>What other servers on the same database change; null where there can be none.</summary>
    public IAccountChanges? Changes { get; init; }

    /// <summary>
    /// Opens the embedded SQLite file, or, when a connection string is set, Postgres, which is not asked yet. Throws
    /// <see cref="StoreException"/> with one line that says what is wrong and what to do about it.
    /// </summary>
    public static Task<StoreSet> OpenAsync(StorageOptions options, TimeProvider time, CancellationToken cancellationToken) =>
        string.IsNullOrWhiteSpace(options.ConnectionString)
            ? SqliteStores.OpenAsync(options, time, cancellationToken)
            : Task.FromResult(PostgresStores.Open(options, time));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Database.DisposeAsync();
}

/// <summary>What a database tells of itself when it is prepared.</summary>
/// <param name="Display">For the banner: <c>PostgreSQL 15.8 at host/db</c> or <c>SQLite at ./data/events.db</c>. No secret in it.</param>
/// <param name="Warnings">What weakens durability in the database's settings, one sentence each; empty when nothing does.</param>
internal sealed record StoreFacts(string Display, IReadOnlyList<string> Warnings);
