using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Lanes in SQLite; endpoints, retries and outcomes in files of their own.</summary>
internal sealed class SqliteDeliveryStore(SqliteDatabase database, TimeProvider time) : IDeliveryStore
{
    private const string Rewind = """
        UPDATE lanes SET delivered_through = $3, generation = generation + 1
        WHERE organization_no = $1 AND endpoint_id = $2 AND delivered_through > $3
        """;

    private const string Lane = """
        SELECT e.id, e.type,
               EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = e.id)
               OR EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = $1 AND o.event_id = e.id AND o.endpoint_id = $2)
               OR EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = $1 AND r.endpoint_id = $2 AND r.event_id = e.id),
               e.payload, e.ordering_key
        FROM events e
        WHERE e.organization_no = $1 AND e.id > $3
        ORDER BY e.id
        LIMIT $4
        """;

    private const string Types = """
        SELECT e.id, e.type FROM events e WHERE e.organization_no = $1 AND e.id > $2 ORDER BY e.id LIMIT $3
        """;

    private const string One = """
        SELECT e.id, e.type,
               EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = $1 AND a.event_id = e.id)
               OR EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = $1 AND o.event_id = e.id AND o.endpoint_id = $2)
               OR EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = $1 AND r.endpoint_id = $2 AND r.event_id = e.id),
               e.payload, e.ordering_key
        FROM events e
        WHERE e.organization_no = $1 AND e.id = $3
        """;

    private readonly SqliteEndpoints _endpoints = new(database);
    private readonly SqliteRetries _retries = new(database);
    private readonly SqliteOutcomes _outcomes = new(database, time);

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
        database.WriteAsync(
            connection => places.Sum(place => connection.Execute(Rewind, place.OrganizationNo, place.EndpointId, place.DeliveredThrough)),
            cancellationToken);

    /// <inheritdoc/>
    public Task DeleteEndpointAsync(int organizationNo, Guid endpointId, DateTimeOffset at, CancellationToken cancellationToken) =>
        _endpoints.DeleteAsync(organizationNo, endpointId, at, cancellationToken);

    /// <inheritdoc/>
    public Task<LanePage> ReadLaneAsync(LaneRead read, CancellationToken cancellationToken) =>
        database.ReadAsync(
            connection => read.Patterns.MatchesAll ? ReadAll(connection, read) : ReadMatching(connection, read), cancellationToken);

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
        _retries.ClaimAsync(now, leaseUntil, limit, rooms, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(string Key, EventId Id)>> ReadFailingKeysAsync(
        int organizationNo, Guid endpointId, DateTimeOffset since, CancellationToken cancellationToken) =>
        _retries.ReadFailingKeysAsync(organizationNo, endpointId, since, cancellationToken);

    /// <inheritdoc/>
    public Task<DateTimeOffset?> NextRetryAsync(CancellationToken cancellationToken) => _retries.NextAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<DeliveryResult>> FindDeadLettersAsync(IReadOnlyList<DeliveryResult> results, CancellationToken cancellationToken) =>
        _outcomes.FindDeadLettersAsync(results, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken) => _outcomes.RecordAsync(batch, cancellationToken);

    private static LanePage ReadAll(SqliteConnection connection, LaneRead read)
    {
        using var statement = new SqliteStatement(connection, Lane);
        using var row = statement.Open(read.OrganizationNo, read.EndpointId, read.After, read.Limit);
        var page = new PageUnderWay(read);
        while (page.HasRoom && row.Read())
        {
            page.ScannedThrough = row.GetEventId(0);
            if (!row.GetBoolean(2)) page.Add(ReadDue(row, page.ScannedThrough, 3));
        }

        return page.End();
    }

    /// <summary>Looks at the types alone, and at the rest of an event where its type matches.</summary>
    private static LanePage ReadMatching(SqliteConnection connection, LaneRead read)
    {
        using var types = new SqliteStatement(connection, Types);
        using var one = new SqliteStatement(connection, One);
        using var row = types.Open(read.OrganizationNo, read.After, LaneRead.MostLookedAt);
        var page = new PageUnderWay(read);
        while (page.HasRoom && row.Read())
        {
            page.ScannedThrough = row.GetEventId(0);
            if (!read.Patterns.Matches(row.GetString(1))) continue;
            using var found = one.Open(read.OrganizationNo, read.EndpointId, page.ScannedThrough);
            if (found.Read() && !found.GetBoolean(2)) page.Add(ReadDue(found, page.ScannedThrough, 3));
        }

        return page.End();
    }

    private static DueEvent ReadDue(SqliteDataReader row, EventId id, int payload) => new()
    {
        Id = id,
        Type = row.GetString(1),
        Payload = row.GetFieldValue<byte[]>(payload),
        OrderingKey = row.GetTextOrNull(payload + 1),
    };

    /// <summary>Collects a page until it is full.</summary>
    private sealed class PageUnderWay(LaneRead read)
    {
        private readonly List<DueEvent> _events = [];
        private long _bytes;

        public EventId ScannedThrough { get; set; } = read.After;

        public bool HasRoom => _bytes < read.MaxBytes && _events.Count < read.Limit;

        public void Add(DueEvent due)
        {
            _events.Add(due);
            _bytes += due.Payload.Length;
        }

        public LanePage End() => new(_events, ScannedThrough);
    }
}
