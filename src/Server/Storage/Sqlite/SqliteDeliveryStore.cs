using System.Text;
using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

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
               EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = ?1 AND a.event_id = e.id)
               OR EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = ?1 AND o.event_id = e.id AND o.endpoint_id = ?2)
               OR EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = ?1 AND r.endpoint_id = ?2 AND r.event_id = e.id),
               e.payload, e.ordering_key, e.traceparent
        FROM events e
        WHERE e.organization_no = ?1 AND e.id > ?3
        ORDER BY e.id
        LIMIT ?4
        """;

    private const string Types = """
        SELECT e.id, e.type FROM events e WHERE e.organization_no = ?1 AND e.id > ?2 ORDER BY e.id LIMIT ?3
        """;

    private const string One = """
        SELECT e.id, e.type,
               EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = ?1 AND a.event_id = e.id)
               OR EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = ?1 AND o.event_id = e.id AND o.endpoint_id = ?2)
               OR EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = ?1 AND r.endpoint_id = ?2 AND r.event_id = e.id),
               e.payload, e.ordering_key, e.traceparent
        FROM events e
        WHERE e.organization_no = ?1 AND e.id = ?3
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
    public Task<IReadOnlyList<DeliveryResult>> FindDeadLettersAsync(
        IReadOnlyList<DeliveryResult> results, CancellationToken cancellationToken) =>
        _outcomes.FindDeadLettersAsync(results, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken) =>
        _outcomes.RecordAsync(batch, cancellationToken);

    private static LanePage ReadAll(SqliteConnection connection, LaneRead read)
    {
        using var row = new SqlitePrepared(connection, Lane);
        row.Bind(1, (long)read.OrganizationNo);
        row.Bind(2, read.EndpointId);
        row.Bind(3, read.After);
        row.Bind(4, (long)read.Limit);
        var page = new PageUnderWay(read);
        while (page.HasRoom && row.Read())
        {
            page.ScannedThrough = row.Id(0);
            if (row.Number(2) == 0) page.Add(row);
        }

        return page.End();
    }

    /// <summary>Looks at the types alone, and at the rest of an event where its type matches.</summary>
    private static LanePage ReadMatching(SqliteConnection connection, LaneRead read)
    {
        using var types = new SqlitePrepared(connection, Types);
        types.Bind(1, (long)read.OrganizationNo);
        types.Bind(2, read.After);
        types.Bind(3, (long)LaneRead.MostLookedAt);
        using var one = new SqlitePrepared(connection, One);
        one.Bind(1, (long)read.OrganizationNo);
        one.Bind(2, read.EndpointId);
        var page = new PageUnderWay(read);
        while (page.HasRoom && types.Read())
        {
            page.ScannedThrough = types.Id(0);
            if (!read.Patterns.Matches(page.TextOf(types.Bytes(1)))) continue;
            one.Bind(3, page.ScannedThrough);
            if (one.Read() && one.Number(2) == 0) page.Add(one);
            one.Reset();
        }

        return page.End();
    }

    /// <summary>Collects a page until it is full.</summary>
    private sealed class PageUnderWay(LaneRead read)
    {
        private readonly List<DueEvent> _events = [];
        private byte[] _lastType = [];
        private string _lastTypeText = "";
        private long _bytes;

        public EventId ScannedThrough { get; set; } = read.After;

        public bool HasRoom => _bytes < read.MaxBytes && _events.Count < read.Limit;

        /// <summary>Adds the row's event: id, type, (whether it is settled), payload, ordering key, trace.</summary>
        public void Add(SqlitePrepared row)
        {
            var due = new DueEvent
            {
                Id = row.Id(0),
                Type = TextOf(row.Bytes(1)),
                Payload = row.Bytes(3).ToArray(),
                OrderingKey = row.TextOrNull(4),
                TraceParent = TraceParent.FromBytes(row.Bytes(5)),
            };
            _events.Add(due);
            _bytes += due.Payload.Length;
        }

        /// <summary>A type's text. Most events of a page are of the same few types, often in a row.</summary>
        public string TextOf(ReadOnlySpan<byte> type)
        {
            if (type.SequenceEqual(_lastType)) return _lastTypeText;
            (_lastType, _lastTypeText) = (type.ToArray(), Encoding.UTF8.GetString(type));
            return _lastTypeText;
        }

        public LanePage End() => new(_events, ScannedThrough);
    }
}
