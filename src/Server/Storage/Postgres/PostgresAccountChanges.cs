using Npgsql;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>What other servers have changed, by the versions that triggers count up (migration 0007), and what NOTIFY hints at.</summary>
internal sealed class PostgresAccountChanges(PostgresDatabase database, PostgresAccountStore accounts) : IAccountChanges
{
    private const string Version = """
        SELECT c.version FROM account_changes c WHERE c.organization_no = 0
        """;

    private const string Changed = """
        SELECT c.organization_no FROM account_changes c WHERE c.version > $1 AND c.organization_no <> 0 ORDER BY c.version
        """;

    private const string Erasures = """
        SELECT e.organization_no, e.id, e.kind, e.erased, e.cursor, e.finished_at
        FROM erasures e
        WHERE NOT e.dry_run AND (e.finished_at IS NULL OR e.finished_at > $1)
        """;

    /// <summary>A server of a version before 0013 notes no erasure; what a journal may hold of that is read with every other.</summary>
    private const string Erased = """
        SELECT x.id
        FROM erased_events x
        WHERE x.organization_no = $1 AND x.erasure = $2 AND x.chunk_end > $3 AND x.chunk_end <= $4
        UNION ALL
        SELECT y.id FROM erased_events y WHERE y.organization_no = $1 AND y.erasure IS NULL AND y.in_journal
        """;

    private const string Listen = """
        LISTEN zapier_triggers_accounts;
        LISTEN zapier_triggers_retries;
        LISTEN zapier_triggers_erasures
        """;

    private readonly PostgresEndpoints _endpoints = new(database);

    /// <inheritdoc/>
    public async Task<long> ReadVersionAsync(CancellationToken cancellationToken) =>
        (await database.QueryAsync(Version, _ => { }, row => row.GetInt64(0), cancellationToken)).FirstOrDefault();

    /// <inheritdoc/>
    public async Task<IReadOnlyList<int>> ReadChangedAsync(long since, CancellationToken cancellationToken) =>
        await database.QueryAsync(Changed, parameters => parameters.With(since), row => row.GetInt32(0), cancellationToken);

    /// <inheritdoc/>
    public Task<AccountSnapshot> ReadAccountsAsync(IReadOnlyCollection<int> organizationNos, CancellationToken cancellationToken) =>
        accounts.LoadAsync([.. organizationNos], cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<EndpointRecord>> ReadEndpointsAsync(
        IReadOnlyCollection<int> organizationNos, CancellationToken cancellationToken) =>
        _endpoints.LoadAsync([.. organizationNos], cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ErasureElsewhere>> ReadErasuresAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            Erasures,
            parameters => parameters.With(since.ToUniversalTime()),
            row => new ErasureElsewhere(
                row.GetInt32(0), row.GetGuid(1), (ErasureKind)row.GetInt16(2), row.GetInt64(3), row.GetEventId(4), row.GetTimeOrNull(5)),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EventId>> ReadErasedAsync(
        ErasureElsewhere erasure, EventId after, CancellationToken cancellationToken) =>
        await database.QueryAsync(
            Erased,
            parameters => parameters.With(erasure.OrganizationNo).With(erasure.Id).With(after).With(erasure.Cursor),
            row => row.GetEventId(0),
            cancellationToken);

    /// <inheritdoc/>
    public Task ListenAsync(Action<StoreNews> heard, CancellationToken cancellationToken) => database.RunAloneAsync(
        async connection =>
        {
            connection.Notification += (_, notice) => heard(NewsOf(notice.Channel));
            await using (var command = new NpgsqlCommand(Listen, connection)) await command.ExecuteNonQueryAsync(cancellationToken);
            foreach (var news in Enum.GetValues<StoreNews>()) heard(news);
            while (true) await connection.WaitAsync(cancellationToken);
        },
        cancellationToken);

    private static StoreNews NewsOf(string channel) => channel switch
    {
        "zapier_triggers_retries" => StoreNews.Retries,
        "zapier_triggers_erasures" => StoreNews.Erasures,
        _ => StoreNews.Accounts,
    };
}
