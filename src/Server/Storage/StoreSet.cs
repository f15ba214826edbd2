using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage.Postgres;
using ZapierTriggers.Server.Storage.Sqlite;

namespace ZapierTriggers.Server.Storage;

/// <summary>The three stores over one database. Disposing it closes the database.</summary>
/// <param name="Events">Events, inbox, shards; its <see cref="IEventStore.PrepareAsync"/> comes before anything else.</param>
/// <param name="Deliveries">Endpoints, lanes, retries, outcomes.</param>
/// <param name="Accounts">Organizations and keys.</param>
/// <param name="Display">For the banner: <c>PostgreSQL 15.8 at host/db</c> or <c>SQLite at ./data/events.db</c>. No secret in it.</param>
/// <param name="Warnings">What weakens durability in the database's settings, one sentence each; empty when nothing does.</param>
/// <param name="Database">What is open.</param>
internal sealed record StoreSet(
    IEventStore Events,
    IDeliveryStore Deliveries,
    IAccountStore Accounts,
    string Display,
    IReadOnlyList<string> Warnings,
    IAsyncDisposable Database) : IAsyncDisposable
{
    /// <summary>
    /// Opens Postgres when a connection string is set, else the embedded SQLite file. Throws <see cref="StoreException"/> with one line
    /// that says what is wrong and what to do about it.
    /// </summary>
    public static Task<StoreSet> OpenAsync(
        StorageOptions options,
        TimeProvider time,
        ILoggerFactory loggers,
        CancellationToken cancellationToken) =>
        string.IsNullOrWhiteSpace(options.ConnectionString)
            ? SqliteStores.OpenAsync(options, time, cancellationToken)
            : PostgresStores.OpenAsync(options, time, loggers, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
