using Npgsql;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Dead letters in Postgres, and replays of single events; jobs in a file of their own.</summary>
internal sealed class PostgresDeadLetters(PostgresDatabase database) : IDeadLetterStore
{
    private static readonly string Page = DeadLetterStatements.Page("""
        ($4::uuid IS NULL OR o.endpoint_id = $4)
        AND ($5::text IS NULL OR e.type = $5)
        AND ($6::text IS NULL OR position(lower($6) IN lower(o.error)) > 0)
        AND ($7::uuid IS NULL OR (o.event_id, o.endpoint_id) < ($7, $8))
        """);

    private const string OfEvent = """
        SELECT o.endpoint_id, p.id IS NOT NULL
        FROM outcomes o
        JOIN events e ON e.organization_no = $1 AND e.id = o.event_id
        LEFT JOIN endpoints p ON p.organization_no = $1 AND p.id = o.endpoint_id
        WHERE o.organization_no = $1 AND o.event_id = $2 AND o.status = 3 AND ($3::uuid IS NULL OR o.endpoint_id = $3)
        ORDER BY o.endpoint_id
        """;

    private const string Endpoints = """
        SELECT p.id
        FROM endpoints p
        WHERE p.organization_no = $1 AND (($2::uuid IS NULL AND p.enabled) OR p.id = $2)
        ORDER BY p.id
        """;

    private readonly PostgresReplayJobs _jobs = new(database);

    /// <inheritdoc/>
    public async Task<DeadLetterPage> ReadAsync(DeadLetterQuery query, CancellationToken cancellationToken)
    {
        var filter = query.Filter;
        var rows = await database.QueryAsync(
            Page,
            parameters => parameters.With(query.OrganizationNo).With(filter.From).With(filter.To).With(filter.EndpointId).With(filter.Type)
                .With(filter.Error).With(query.After?.EventId.ToGuid()).With(query.After?.EndpointId).With(query.Limit + 1),
            DeadLetterStatements.Read,
            cancellationToken);
        return new DeadLetterPage([.. rows.Take(query.Limit)], rows.Count > query.Limit);
    }

    /// <inheritdoc/>
    public Task<Requeued> ReplayDeadLettersAsync(
        int organizationNo, EventId eventId, Guid? endpointId, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async connection =>
            {
                await PostgresRequeue.LockLanesAsync(connection, organizationNo, endpointId, cancellationToken);
                var found = await connection.QueryAsync(
                    OfEvent,
                    parameters => parameters.With(organizationNo).With(eventId).With(endpointId),
                    row => (Id: row.GetGuid(0), IsThere: row.GetBoolean(1)),
                    cancellationToken);
                var endpoints = found.Where(static one => one.IsThere).Select(static one => one.Id).ToList();
                await RequeueAsync(connection, organizationNo, eventId, endpoints, now, cancellationToken);
                if (endpoints.Count > 0)
                    await PostgresAudit.InsertAsync(
                        connection, AuditedCall.EntryFor(organizationNo, eventId.ToString()), cancellationToken);
                return new Requeued(found.Count > 0, endpoints.Count);
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<Requeued> ReplayEventAsync(
        int organizationNo, EventId eventId, Guid? endpointId, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async connection =>
            {
                await PostgresRequeue.LockLanesAsync(connection, organizationNo, endpointId, cancellationToken);
                var found = await connection.QueryAsync(
                    DeadLetterStatements.Event,
                    parameters => parameters.With(organizationNo).With(eventId),
                    row => row.GetInt32(0),
                    cancellationToken);
                if (found.Count == 0) return default;
                var endpoints = await connection.QueryAsync(
                    Endpoints, parameters => parameters.With(organizationNo).With(endpointId), row => row.GetGuid(0), cancellationToken);
                await RequeueAsync(connection, organizationNo, eventId, endpoints, now, cancellationToken);
                if (endpoints.Count > 0)
                    await PostgresAudit.InsertAsync(
                        connection, AuditedCall.EntryFor(organizationNo, eventId.ToString()), cancellationToken);
                return new Requeued(Found: true, endpoints.Count);
            },
            cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> HasEndpointAsync(int organizationNo, Guid endpointId, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            Endpoints, parameters => parameters.With(organizationNo).With<Guid?>(endpointId), row => row.GetGuid(0), cancellationToken);
        return rows.Count > 0;
    }

    /// <inheritdoc/>
    public Task<long> CountAsync(int organizationNo, ReplayFilter filter, WantsEvent wants, CancellationToken cancellationToken) =>
        _jobs.CountAsync(organizationNo, filter, wants, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> AddJobAsync(ReplayJob job, CancellationToken cancellationToken) => _jobs.AddAsync(job, cancellationToken);

    /// <inheritdoc/>
    public Task<ReplayJob?> FindJobAsync(int organizationNo, Guid id, CancellationToken cancellationToken) =>
        _jobs.FindAsync(organizationNo, id, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ReplayJob>> ReadJobsAsync(int organizationNo, int limit, CancellationToken cancellationToken) =>
        _jobs.ReadAsync(organizationNo, limit, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ReplayJob>> ReadUnfinishedAsync(CancellationToken cancellationToken) =>
        _jobs.ReadUnfinishedAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<ReplayJob?> RunChunkAsync(
        ReplayJob job, int limit, DateTimeOffset now, WantsEvent wants, CancellationToken cancellationToken) =>
        _jobs.RunChunkAsync(job, limit, now, wants, cancellationToken);

    private static Task RequeueAsync(
        NpgsqlConnection connection,
        int organizationNo,
        EventId eventId,
        List<Guid> endpoints,
        DateTimeOffset now,
        CancellationToken cancellationToken) =>
        PostgresRequeue.RunAsync(
            connection,
            organizationNo,
            [.. endpoints.Select(endpoint => new ScannedDelivery(eventId, endpoint, IsMeant: true))],
            [.. endpoints.Select(_ => now)],
            now,
            cancellationToken);
}
