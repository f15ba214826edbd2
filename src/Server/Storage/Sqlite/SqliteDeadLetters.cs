using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Dead letters in SQLite, and replays of single events; jobs in a file of their own.</summary>
internal sealed class SqliteDeadLetters(SqliteDatabase database) : IDeadLetterStore
{
    private static readonly string Page = DeadLetterStatements.Page("""
        ($4 IS NULL OR o.endpoint_id = $4)
        AND ($5 IS NULL OR e.type = $5)
        AND ($6 IS NULL OR instr(lower(o.error), lower($6)) > 0)
        AND ($7 IS NULL OR (o.event_id, o.endpoint_id) < ($7, $8))
        """);

    private const string OfEvent = """
        SELECT o.endpoint_id, p.id IS NOT NULL
        FROM outcomes o
        JOIN events e ON e.organization_no = $1 AND e.id = o.event_id
        LEFT JOIN endpoints p ON p.organization_no = $1 AND p.id = o.endpoint_id
        WHERE o.organization_no = $1 AND o.event_id = $2 AND o.status = 3 AND ($3 IS NULL OR o.endpoint_id = $3)
        ORDER BY o.endpoint_id
        """;

    private const string Endpoints = """
        SELECT p.id
        FROM endpoints p
        WHERE p.organization_no = $1 AND (($2 IS NULL AND p.enabled) OR p.id = $2)
        ORDER BY p.id
        """;

    private readonly SqliteReplayJobs _jobs = new(database);

    /// <inheritdoc/>
    public Task<DeadLetterPage> ReadAsync(DeadLetterQuery query, CancellationToken cancellationToken)
    {
        var filter = query.Filter;
        return database.ReadAsync(
            connection =>
            {
                var rows = connection.Query(
                    Page,
                    DeadLetterStatements.Read,
                    query.OrganizationNo,
                    filter.From,
                    filter.To,
                    filter.EndpointId,
                    filter.Type,
                    filter.Error,
                    query.After?.EventId,
                    query.After?.EndpointId,
                    query.Limit + 1);
                return new DeadLetterPage([.. rows.Take(query.Limit)], rows.Count > query.Limit);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Requeued> ReplayDeadLettersAsync(
        int organizationNo, EventId eventId, Guid? endpointId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(organizationNo, eventId.ToString());
        return database.WriteAsync(
            connection =>
            {
                var found = connection.Query(
                    OfEvent, row => (Id: row.GetUuid(0), IsThere: row.GetBoolean(1)), organizationNo, eventId, endpointId);
                var endpoints = found.Where(static one => one.IsThere).Select(static one => one.Id).ToList();
                Requeue(connection, organizationNo, eventId, endpoints, now);
                if (endpoints.Count > 0) SqliteAudit.Insert(connection, entry);
                return new Requeued(found.Count > 0, endpoints.Count);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Requeued> ReplayEventAsync(
        int organizationNo, EventId eventId, Guid? endpointId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(organizationNo, eventId.ToString());
        return database.WriteAsync(
            connection =>
            {
                var found = connection.Query(DeadLetterStatements.Event, row => row.GetInt32(0), organizationNo, eventId);
                if (found.Count == 0) return default;
                var endpoints = connection.Query(Endpoints, row => row.GetUuid(0), organizationNo, endpointId);
                Requeue(connection, organizationNo, eventId, endpoints, now);
                if (endpoints.Count > 0) SqliteAudit.Insert(connection, entry);
                return new Requeued(Found: true, endpoints.Count);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> HasEndpointAsync(int organizationNo, Guid endpointId, CancellationToken cancellationToken) => database.ReadAsync(
        connection => connection.Query(Endpoints, row => row.GetUuid(0), organizationNo, endpointId).Count > 0, cancellationToken);

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

    private static void Requeue(
        SqliteConnection connection, int organizationNo, EventId eventId, List<Guid> endpoints, DateTimeOffset now) =>
        SqliteRequeue.Run(
            connection,
            organizationNo,
            [.. endpoints.Select(endpoint => new ScannedDelivery(eventId, endpoint, IsMeant: true))],
            [.. endpoints.Select(_ => now)],
            now);
}
