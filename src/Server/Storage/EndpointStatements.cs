using System.Data.Common;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// Statements on endpoints, their filters and the beginnings of their lanes in the SQL that both stores speak, and what their rows say.
/// </summary>
internal static class EndpointStatements
{
    /// <summary>All endpoints.</summary>
    public const string Load = """
        SELECT p.organization_no, p.id, p.is_default, p.url, p.secret, p.enabled, p.disabled_reason, p.created_at, p.updated_at,
               l.delivered_through, p.description, p.headers, p.rate_limit_per_second, p.max_in_flight, p.timeout_seconds, p.retry_schedule,
               p.ordering, p.starts_after, p.previous_secret, p.previous_secret_until, l.generation,
               p.disabled_at, l.failing_since, l.failing_told_at, p.format
        FROM endpoints p
        JOIN lanes l ON l.organization_no = p.organization_no AND l.endpoint_id = p.id
        """;

    /// <summary>All filters.</summary>
    public const string LoadFilters = """
        SELECT f.organization_no, f.endpoint_id, f.from_id, f.event_types FROM endpoint_filters f
        """;

    /// <summary>
    /// Adds an endpoint, or changes it: in the order of the columns. It stays what it was by birth: the default or not, when it was made,
    /// after which event it starts.
    /// </summary>
    public const string Save = """
        INSERT INTO endpoints (organization_no, id, is_default, url, secret, enabled, disabled_reason, created_at, updated_at, description,
                               headers, rate_limit_per_second, max_in_flight, timeout_seconds, retry_schedule, ordering, starts_after,
                               previous_secret, previous_secret_until, disabled_at, format)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        ON CONFLICT (organization_no, id) DO UPDATE
        SET url = excluded.url, secret = excluded.secret, enabled = excluded.enabled, disabled_reason = excluded.disabled_reason,
            updated_at = excluded.updated_at, description = excluded.description, headers = excluded.headers,
            rate_limit_per_second = excluded.rate_limit_per_second, max_in_flight = excluded.max_in_flight,
            timeout_seconds = excluded.timeout_seconds, retry_schedule = excluded.retry_schedule, ordering = excluded.ordering,
            previous_secret = excluded.previous_secret, previous_secret_until = excluded.previous_secret_until,
            disabled_at = excluded.disabled_at, format = excluded.format
        """;

    /// <summary>Since when an endpoint has been failing, and when that was told: organization, endpoint, since, told.</summary>
    public const string Health = """
        UPDATE lanes SET failing_since = $3, failing_told_at = $4 WHERE organization_no = $1 AND endpoint_id = $2
        """;

    /// <summary>The beginning of an endpoint's lane, unless it has one: organization, endpoint, event.</summary>
    public const string InsertLane = """
        INSERT INTO lanes (organization_no, endpoint_id, delivered_through) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
        """;

    /// <summary>Removes an endpoint's filters.</summary>
    public const string DropFilters = """
        DELETE FROM endpoint_filters WHERE organization_no = $1 AND endpoint_id = $2
        """;

    /// <summary>Removes an endpoint's lane.</summary>
    public const string DropLane = """
        DELETE FROM lanes WHERE organization_no = $1 AND endpoint_id = $2
        """;

    /// <summary>Removes an endpoint.</summary>
    public const string Drop = """
        DELETE FROM endpoints WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>Reads a row of <see cref="LoadFilters"/>.</summary>
    public static (int OrganizationNo, Guid EndpointId, FilterVersion Version) ReadFilter(DbDataReader row) =>
        (row.GetInt32(0), row.GetUuid(1), new FilterVersion(row.GetEventId(2), EndpointColumns.DecodePatterns(row.GetString(3))));

    /// <summary>Reads a row of <see cref="Load"/>.</summary>
    /// <param name="row">The row.</param>
    /// <param name="filters">The filters of all endpoints, in their order.</param>
    public static EndpointRecord Read(DbDataReader row, ILookup<(int, Guid), FilterVersion> filters) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetUuid(1),
        IsDefault = row.GetBoolean(2),
        Url = row.GetString(3),
        Secret = row.GetString(4),
        Enabled = row.GetBoolean(5),
        DisabledReason = row.GetTextOrNull(6),
        CreatedAt = row.GetTime(7),
        UpdatedAt = row.GetTime(8),
        DeliveredThrough = row.GetEventId(9),
        Description = row.GetTextOrNull(10),
        Headers = EndpointColumns.DecodeHeaders(row.GetString(11)),
        RateLimitPerSecond = row.GetIntOrNull(12),
        MaxInFlight = row.GetIntOrNull(13),
        TimeoutSeconds = row.GetIntOrNull(14),
        RetrySchedule = EndpointColumns.DecodeSeconds(row.GetTextOrNull(15)),
        Ordering = EndpointColumns.DecodeOrdering(row.GetString(16)),
        StartsAfter = row.GetEventIdOrNull(17),
        PreviousSecret = row.GetTextOrNull(18),
        PreviousSecretUntil = row.GetTimeOrNull(19),
        LaneGeneration = row.GetInt32(20),
        DisabledAt = row.GetTimeOrNull(21),
        FailingSince = row.GetTimeOrNull(22),
        FailingToldAt = row.GetTimeOrNull(23),
        Format = EndpointColumns.DecodeFormat(row.GetString(24)),
        Filters = new EndpointFilters([.. filters[(row.GetInt32(0), row.GetUuid(1))]]),
    };
}
