using Npgsql;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// The statements of <see cref="PostgresOutcomes"/>: each takes many results as arrays, first the key's columns, then those of the try.
/// </summary>
internal static class PostgresOutcomeStatements
{
    private const string Keys = "unnest($1::integer[], $2::uuid[], $3::uuid[])";

    private const string Results = """
        unnest($1::integer[], $2::uuid[], $3::uuid[], $4::smallint[], $5::integer[], $6::timestamptz[], $7::integer[], $8::integer[],
               $9::text[], $10::text[])
        AS r (organization_no, event_id, endpoint_id, status, number, at, response_status, latency_ms, error, response_body)
        """;

    /// <summary>What changes deliveries of a lane takes this first, so that of two one waits.</summary>
    private const string LockLanes = """
        SELECT 1
        FROM lanes l
        JOIN (SELECT DISTINCT u.organization_no, u.endpoint_id FROM unnest($1::integer[], $2::uuid[]) AS u (organization_no, endpoint_id)) k
          ON l.organization_no = k.organization_no AND l.endpoint_id = k.endpoint_id
        ORDER BY l.organization_no, l.endpoint_id
        FOR NO KEY UPDATE OF l
        """;

    /// <summary>Claims pass locked rows over.</summary>
    public const string LockRetries = $"""
        SELECT 1
        FROM retries w
        JOIN {Keys} AS k (organization_no, event_id, endpoint_id)
          ON w.organization_no = k.organization_no AND w.endpoint_id = k.endpoint_id AND w.event_id = k.event_id
        ORDER BY w.organization_no, w.event_id, w.endpoint_id
        FOR UPDATE OF w
        """;

    public const string States = $"""
        SELECT k.place, w.attempts, w.base, w.owed, w.claimed, w.due_at, o.status, o.attempts, a.event_id IS NOT NULL
        FROM {Keys} WITH ORDINALITY AS k (organization_no, event_id, endpoint_id, place)
        LEFT JOIN retries w ON w.organization_no = k.organization_no AND w.endpoint_id = k.endpoint_id AND w.event_id = k.event_id
        LEFT JOIN outcomes o ON o.organization_no = k.organization_no AND o.event_id = k.event_id AND o.endpoint_id = k.endpoint_id
        LEFT JOIN acks a ON a.organization_no = k.organization_no AND a.event_id = k.event_id
        """;

    /// <summary>Those that are there already are neither written nor counted.</summary>
    public const string FirstOutcomes = $"""
        WITH made AS (
            INSERT INTO outcomes
                (organization_no, event_id, endpoint_id, status, at, attempts, response_status, latency_ms, error, response_body)
            SELECT r.organization_no, r.event_id, r.endpoint_id, r.status, r.at, r.number, r.response_status, r.latency_ms, r.error,
                   r.response_body
            FROM {Results}
            ON CONFLICT DO NOTHING
            RETURNING organization_no, at)
        INSERT INTO usage_days AS u (organization_no, day, kind, source, events, bytes)
        SELECT m.organization_no, floor(extract(epoch FROM m.at) / 86400)::integer, 3, '00000000-0000-0000-0000-000000000000'::uuid, count(*), 0
        FROM made m
        GROUP BY 1, 2
        ORDER BY 1, 2
        ON CONFLICT (organization_no, day, kind, source) DO UPDATE SET events = u.events + excluded.events
        """;

    /// <summary>A replay that was asked for during the first try waits for that no longer (see <see cref="DeliveryPlan"/>).</summary>
    public const string PassFirstTry = $"""
        UPDATE retries w
        SET attempts = 1, base = 1, claimed = false, due_at = CASE WHEN w.claimed THEN $4 ELSE w.due_at END
        FROM {Keys} AS k (organization_no, event_id, endpoint_id)
        WHERE w.organization_no = k.organization_no AND w.endpoint_id = k.endpoint_id AND w.event_id = k.event_id
          AND w.owed > 0 AND (w.attempts = 0 OR (w.attempts = 1 AND w.claimed))
        RETURNING w.event_id, w.endpoint_id
        """;

    /// <summary>An outcome without a try (a blocked address) has none to keep.</summary>
    public const string MoveOutcomes = $"""
        INSERT INTO attempts (organization_no, event_id, endpoint_id, number, at, response_status, latency_ms, error, response_body)
        SELECT o.organization_no, o.event_id, o.endpoint_id, o.attempts, o.at, o.response_status, o.latency_ms, o.error, o.response_body
        FROM outcomes o
        JOIN {Keys} AS k (organization_no, event_id, endpoint_id)
          ON o.organization_no = k.organization_no AND o.event_id = k.event_id AND o.endpoint_id = k.endpoint_id
        WHERE o.latency_ms IS NOT NULL
        ON CONFLICT DO NOTHING
        """;

    /// <summary>An outcome without a try counts the tries before it.</summary>
    public const string Outcomes = $"""
        INSERT INTO outcomes
            (organization_no, event_id, endpoint_id, status, at, attempts, response_status, latency_ms, error, response_body)
        SELECT r.organization_no, r.event_id, r.endpoint_id, r.status, r.at,
               coalesce(r.number,
                        (SELECT max(t.number) FROM attempts t
                         WHERE t.organization_no = r.organization_no AND t.event_id = r.event_id AND t.endpoint_id = r.endpoint_id),
                        0),
               r.response_status, r.latency_ms, r.error, r.response_body
        FROM {Results}
        ON CONFLICT (organization_no, event_id, endpoint_id) DO UPDATE
        SET status = excluded.status, at = excluded.at, attempts = excluded.attempts, response_status = excluded.response_status,
            latency_ms = excluded.latency_ms, error = excluded.error, response_body = excluded.response_body
        """;

    public const string Attempts = $"""
        INSERT INTO attempts (organization_no, event_id, endpoint_id, number, at, response_status, latency_ms, error, response_body)
        SELECT r.organization_no, r.event_id, r.endpoint_id, r.number, r.at, r.response_status, r.latency_ms, r.error, r.response_body
        FROM {Results}
        ON CONFLICT DO NOTHING
        """;

    public const string Retries = """
        INSERT INTO retries
            (organization_no, endpoint_id, event_id, due_at, attempts, base, owed, claimed, at, response_status, latency_ms, error)
        SELECT r.organization_no, r.endpoint_id, r.event_id, r.due_at, r.attempts, r.base, r.owed, r.claimed, r.at, r.response_status,
               r.latency_ms, r.error
        FROM unnest($1::integer[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::integer[], $6::integer[], $7::integer[], $8::boolean[],
                    $9::timestamptz[], $10::integer[], $11::integer[], $12::text[])
        AS r (organization_no, event_id, endpoint_id, due_at, attempts, base, owed, claimed, at, response_status, latency_ms, error)
        ON CONFLICT (organization_no, endpoint_id, event_id) DO UPDATE
        SET due_at = excluded.due_at, attempts = excluded.attempts, base = excluded.base, owed = excluded.owed, claimed = excluded.claimed,
            at = excluded.at, response_status = excluded.response_status, latency_ms = excluded.latency_ms, error = excluded.error
        """;

    /// <summary>Those that owe no more than that.</summary>
    public const string DropRetries = $"""
        DELETE FROM retries w
        USING {Keys} AS k (organization_no, event_id, endpoint_id)
        WHERE w.organization_no = k.organization_no AND w.endpoint_id = k.endpoint_id AND w.event_id = k.event_id AND w.owed <= $4
        """;

    private const string Cursors = """
        UPDATE lanes l
        SET delivered_through = c.delivered_through
        FROM (SELECT u.organization_no, u.endpoint_id, u.generation,
                     (array_agg(u.delivered_through ORDER BY u.delivered_through DESC))[1] AS delivered_through
              FROM unnest($1::integer[], $2::uuid[], $3::uuid[], $4::integer[])
                   AS u (organization_no, endpoint_id, delivered_through, generation)
              GROUP BY u.organization_no, u.endpoint_id, u.generation) c
        WHERE l.organization_no = c.organization_no AND l.endpoint_id = c.endpoint_id AND l.generation = c.generation
          AND l.delivered_through < c.delivered_through
        """;

    /// <summary>Adds a statement; returns its parameters.</summary>
    public static NpgsqlParameterCollection Add(NpgsqlBatch commands, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        commands.BatchCommands.Add(command);
        return command.Parameters;
    }

    /// <summary>
    /// Adds the lock on the results' lanes, and on those whose cursors move: they are changed behind the organization's usage, for which
    /// another recorder may wait that holds such a lane.
    /// </summary>
    public static void AddLocks(NpgsqlBatch commands, DeliveryResult[] results, IReadOnlyList<LaneCursor> cursors)
    {
        var lanes = results.Select(static result => (result.OrganizationNo, result.EndpointId))
            .Concat(cursors.Select(static cursor => (cursor.OrganizationNo, cursor.EndpointId))).ToArray();
        Add(commands, LockLanes).With(Array.ConvertAll(lanes, static lane => lane.OrganizationNo))
            .With(Array.ConvertAll(lanes, static lane => lane.EndpointId));
    }

    /// <summary>Adds the moves of cursors, if there are any.</summary>
    public static void AddCursors(NpgsqlBatch commands, IReadOnlyList<LaneCursor> cursors)
    {
        if (cursors.Count == 0) return;
        Add(commands, Cursors).With(cursors.Select(static cursor => cursor.OrganizationNo).ToArray())
            .With(cursors.Select(static cursor => cursor.EndpointId).ToArray())
            .With(cursors.Select(static cursor => cursor.DeliveredThrough.ToGuid()).ToArray())
            .With(cursors.Select(static cursor => cursor.Generation).ToArray());
    }

    /// <summary>Binds the key's columns.</summary>
    public static NpgsqlParameterCollection BindKeys(NpgsqlParameterCollection parameters, DeliveryResult[] results) => parameters
        .With(Column(results, static result => result.OrganizationNo)).With(Column(results, static result => result.EventId.ToGuid()))
        .With(Column(results, static result => result.EndpointId));

    /// <summary>Binds results with their own status.</summary>
    public static void BindResults(NpgsqlParameterCollection parameters, DeliveryResult[] results, DateTimeOffset now) =>
        BindTries(BindKeys(parameters, results).With(Column(results, static result => (short)result.Status)), results, now);

    /// <summary>Binds results with the status that was decided.</summary>
    public static void BindOutcomes(
        NpgsqlParameterCollection parameters, (DeliveryResult Result, DeliveryPlan Plan)[] plans, DateTimeOffset now)
    {
        var results = Array.ConvertAll(plans, static pair => pair.Result);
        BindTries(BindKeys(parameters, results).With(Array.ConvertAll(plans, static pair => (short)pair.Plan.OutcomeStatus)), results, now);
    }

    /// <summary>Binds retry rows as they are to be.</summary>
    public static void BindRetries(
        NpgsqlParameterCollection parameters, (DeliveryResult Result, DeliveryPlan Plan)[] plans, DateTimeOffset now)
    {
        var results = Array.ConvertAll(plans, static pair => pair.Result);
        var rows = Array.ConvertAll(plans, static pair => pair.Plan.Retry!);
        BindKeys(parameters, results).With(Array.ConvertAll(rows, static row => row.DueAt.ToUniversalTime()))
            .With(Array.ConvertAll(rows, static row => row.Attempts)).With(Array.ConvertAll(rows, static row => row.Base))
            .With(Array.ConvertAll(rows, static row => row.Owed)).With(Array.ConvertAll(rows, static row => row.IsClaimed))
            .With(Column(results, result => (result.Attempt?.At ?? now).ToUniversalTime()))
            .With(Column(results, static result => result.Attempt?.ResponseStatus))
            .With(Column(results, static result => result.Attempt?.LatencyMilliseconds))
            .With(Column(results, static result => Text(result.Attempt?.Error ?? result.Reason)));
    }

    private static void BindTries(NpgsqlParameterCollection parameters, DeliveryResult[] results, DateTimeOffset now) => parameters
        .With(Column(results, static result => result.Attempt?.Number))
        .With(Column(results, result => (result.Attempt?.At ?? now).ToUniversalTime()))
        .With(Column(results, static result => result.Attempt?.ResponseStatus))
        .With(Column(results, static result => result.Attempt?.LatencyMilliseconds))
        .With(Column(results, static result => Text(result.Attempt?.Error ?? result.Reason)))
        .With(Column(results, static result => Text(result.Attempt?.ResponseBody)));

    private static T[] Column<T>(DeliveryResult[] results, Converter<DeliveryResult, T> select) => Array.ConvertAll(results, select);

    /// <summary>Postgres text cannot hold U+0000; one receiver's answer must not refuse the whole batch.</summary>
    private static string? Text(string? text) => text?.Replace('\0', '\uFFFD');
}
