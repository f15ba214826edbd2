using Npgsql;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Lanes in Postgres; endpoints, retries and outcomes in files of their own.</summary>
internal sealed class PostgresDeliveryStore(PostgresDatabase database, TimeProvider time) : IDeliveryStore
{
    private const string Rewind = """
        UPDATE lanes l
        SET delivered_through = c.delivered_through, generation = l.generation + 1
        FROM unnest($1::integer[], $2::uuid[], $3::uuid[]) AS c (organization_no, endpoint_id, delivered_through)
        WHERE l.organization_no = c.organization_no AND l.endpoint_id = c.endpoint_id AND l.delivered_through > c.delivered_through
        """;

    /// <summary>
    /// Payloads are cut off by their running size before they are read; what is settled is looked at but brings no bytes. Not by EXISTS: in
    /// a list of columns Postgres may hash all of an endpoint's outcomes for it instead of looking a page's worth of them up.
    /// </summary>
    private const string Lane = """
        SELECT w.id, w.settled, w.type, CASE WHEN w.settled THEN NULL ELSE w.payload END, w.ordering_key, w.traceparent
        FROM (
            SELECT s.*, sum(s.size) OVER (ORDER BY s.id) AS running
            FROM (
                SELECT n.*, CASE WHEN n.settled THEN 0 ELSE octet_length(n.payload) END AS size
                FROM (
                    SELECT e.id, e.type, e.payload, e.ordering_key, e.traceparent,
                           coalesce(
                               (SELECT true FROM acks a WHERE a.organization_no = $1 AND a.event_id = e.id),
                               (SELECT true FROM outcomes o WHERE o.organization_no = $1 AND o.event_id = e.id AND o.endpoint_id = $2),
                               (SELECT true FROM retries r WHERE r.organization_no = $1 AND r.endpoint_id = $2 AND r.event_id = e.id),
                               false) AS settled
                    FROM events e
                    WHERE e.organization_no = $1 AND e.id > $3
                    ORDER BY e.id
                    LIMIT $4
                ) n
            ) s
        ) w
        WHERE w.running - w.size < $5
        ORDER BY w.id
        """;

    /// <summary>
    /// The same for those that match, of as many as are looked at (<c>$6</c>); what does not match counts as settled, and nothing is looked
    /// up for it. The page is full with the last event asked for (<c>$4</c>). That number is compared with 1 taken away: compared as it is,
    /// PostgreSQL makes a run condition of it, which fails with XX000 ("WindowFunc not found in subplan target lists") over a subplan.
    /// </summary>
    private const string MatchingLane = """
        SELECT w.id, w.settled, CASE WHEN w.settled THEN NULL ELSE w.type END, CASE WHEN w.settled THEN NULL ELSE w.payload END,
               w.ordering_key, w.traceparent
        FROM (
            SELECT s.*, sum(s.size) OVER (ORDER BY s.id) AS running,
                   count(*) FILTER (WHERE NOT s.settled) OVER (ORDER BY s.id) AS number
            FROM (
                SELECT n.*, CASE WHEN n.settled THEN 0 ELSE octet_length(n.payload) END AS size
                FROM (
                    SELECT m.*,
                           CASE WHEN m.matches
                           THEN EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = m.id)
                                OR EXISTS (SELECT 1 FROM outcomes o
                                           WHERE o.organization_no = $1 AND o.event_id = m.id AND o.endpoint_id = $2)
                                OR EXISTS (SELECT 1 FROM retries r
                                           WHERE r.organization_no = $1 AND r.endpoint_id = $2 AND r.event_id = m.id)
                           ELSE true END AS settled
                    FROM (
                        SELECT e.id, e.type, e.payload, e.ordering_key, e.traceparent,
                               e.type = ANY ($7) OR EXISTS (SELECT 1 FROM unnest($8::text[]) p WHERE starts_with(e.type, p)) AS matches
                        FROM events e
                        WHERE e.organization_no = $1 AND e.id > $3
                        ORDER BY e.id
                        LIMIT $6
                    ) m
                ) n
            ) s
        ) w
        WHERE w.running - w.size < $5 AND w.number - 1 < $4
        ORDER BY w.id
        """;

    private readonly PostgresEndpoints _endpoints = new(database);
    private readonly PostgresRetries _retries = new(database);
    private readonly PostgresOutcomes _outcomes = new(database, time);

    /// <inheritdoc/>
    public Task<IReadOnlyList<EndpointRecord>> LoadEndpointsAsync(CancellationToken cancellationToken) =>
        _endpoints.LoadAsync(cancellationToken);

    /// <inheritdoc/>
    public Task SaveEndpointAsync(EndpointRecord endpoint, CancellationToken cancellationToken) =>
        _endpoints.SaveAsync(endpoint, cancellationToken);

    /// <inheritdoc/>
    public Task SaveHealthAsync(
        int organizationNo, Guid endpointId, DateTimeOffset? failingSince, DateTimeOffset? toldAt, CancellationToken cancellationToken) =>
        _endpoints.SaveHealthAsync(organizationNo, endpointId, failingSince, toldAt, cancellationToken);

    /// <inheritdoc/>
    public Task RewindLanesAsync(IReadOnlyList<LaneCursor> places, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            Rewind,
            parameters => parameters.With(places.Select(place => place.OrganizationNo).ToArray())
                .With(places.Select(place => place.EndpointId).ToArray())
                .With(places.Select(place => place.DeliveredThrough.ToGuid()).ToArray()),
            cancellationToken);

    /// <inheritdoc/>
    public Task DeleteEndpointAsync(int organizationNo, Guid endpointId, DateTimeOffset at, CancellationToken cancellationToken) =>
        _endpoints.DeleteAsync(organizationNo, endpointId, at, cancellationToken);

    /// <inheritdoc/>
    public async Task<LanePage> ReadLaneAsync(LaneRead read, CancellationToken cancellationToken)
    {
        var patterns = read.Patterns;
        var rows = await database.QueryAsync(
            patterns.MatchesAll ? Lane : MatchingLane,
            parameters =>
            {
                parameters.With(read.OrganizationNo).With(read.EndpointId).With(read.After).With(read.Limit).With((long)read.MaxBytes);
                if (!patterns.MatchesAll) parameters.With(LaneRead.MostLookedAt).With(patterns.Exact).With(patterns.Prefixes);
            },
            row => (Id: row.GetEventId(0), Due: row.GetBoolean(1) ? null : ReadDue(row)),
            cancellationToken);
        var due = rows.Where(row => row.Due is not null).Select(row => row.Due!);
        return new LanePage([.. due], rows.Count == 0 ? read.After : rows[^1].Id);
    }

    /// <inheritdoc/>
    public Task ReleaseRetriesAsync(IReadOnlyList<HeldClaim> claims, DateTimeOffset now, CancellationToken cancellationToken) =>
        _retries.ReleaseAsync(claims, now, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ClaimedRetry>> ClaimRetriesAsync(
        DateTimeOffset now,
        DateTimeOffset leaseUntil,
        int limit,
        IReadOnlyList<ClaimRoom> rooms,
        CancellationToken cancellationToken) =>
        _retries.ClaimAsync(now.ToUniversalTime(), leaseUntil.ToUniversalTime(), limit, rooms, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(string Key, EventId Id)>> ReadFailingKeysAsync(
        int organizationNo, Guid endpointId, DateTimeOffset since, CancellationToken cancellationToken) =>
        _retries.ReadFailingKeysAsync(organizationNo, endpointId, since, cancellationToken);

    /// <inheritdoc/>
    public Task<DateTimeOffset?> NextRetryAsync(CancellationToken cancellationToken) => _retries.NextAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<DeliveryResult>> FindDeadLettersAsync(
        IReadOnlyList<DeliveryResult> results, CancellationToken cancellationToken) =>
        _outcomes.FindDeadLettersAsync(results, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken) =>
        _outcomes.RecordAsync(batch, cancellationToken);

    private static DueEvent ReadDue(NpgsqlDataReader row) => new()
    {
        Id = row.GetEventId(0),
        Type = row.GetString(2),
        Payload = row.GetFieldValue<byte[]>(3),
        OrderingKey = row.GetTextOrNull(4),
        TraceParent = row.GetTraceParent(5),
    };
}
