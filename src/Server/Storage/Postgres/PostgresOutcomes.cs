using Npgsql;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Finished tries. Each statement takes the whole batch as arrays (<c>$1</c>…<c>$11</c>, the columns of <c>r</c>) and leaves alone what is
/// recorded already, so the same batch may come twice. All of them are one implicit transaction and one round trip.
/// </summary>
internal sealed class PostgresOutcomes(PostgresDatabase database, TimeProvider time)
{
    private const string Results = """
        unnest($1::integer[], $2::uuid[], $3::uuid[], $4::smallint[], $5::timestamptz[], $6::integer[],
               $7::timestamptz[], $8::integer[], $9::integer[], $10::text[], $11::text[])
        AS r (organization_no, event_id, endpoint_id, status, due_at, number, at, response_status, latency_ms, error, response_body)
        """;

    /// <summary>An outcome without a try counts the tries before it.</summary>
    private const string Outcomes = $"""
        INSERT INTO outcomes
            (organization_no, event_id, endpoint_id, status, at, attempts, response_status, latency_ms, error, response_body)
        SELECT r.organization_no, r.event_id, r.endpoint_id, r.status, r.at,
               coalesce(r.number,
                        (SELECT max(t.number) FROM attempts t
                         WHERE t.organization_no = r.organization_no AND t.event_id = r.event_id AND t.endpoint_id = r.endpoint_id),
                        0),
               r.response_status, r.latency_ms, r.error, r.response_body
        FROM {Results}
        WHERE r.status <> 2
        ON CONFLICT DO NOTHING
        """;

    private const string Attempts = $"""
        INSERT INTO attempts (organization_no, event_id, endpoint_id, number, at, response_status, latency_ms, error, response_body)
        SELECT r.organization_no, r.event_id, r.endpoint_id, r.number, r.at, r.response_status, r.latency_ms, r.error, r.response_body
        FROM {Results}
        WHERE r.status = 2 AND r.number IS NOT NULL
        ON CONFLICT DO NOTHING
        """;

    /// <summary>A late copy of an earlier try does not undo a later claim; what is acknowledged or final gets no retry.</summary>
    private const string Retries = $"""
        INSERT INTO retries AS w (organization_no, endpoint_id, event_id, due_at, attempts, at, response_status, latency_ms, error)
        SELECT r.organization_no, r.endpoint_id, r.event_id, r.due_at, coalesce(r.number, 0), r.at, r.response_status, r.latency_ms, r.error
        FROM {Results}
        WHERE r.status = 2
          AND NOT EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = r.organization_no AND a.event_id = r.event_id)
          AND NOT EXISTS (SELECT 1 FROM outcomes o
                          WHERE o.organization_no = r.organization_no AND o.event_id = r.event_id AND o.endpoint_id = r.endpoint_id)
        ON CONFLICT (organization_no, endpoint_id, event_id) DO UPDATE
        SET due_at = excluded.due_at, attempts = greatest(w.attempts, excluded.attempts), at = excluded.at,
            response_status = excluded.response_status, latency_ms = excluded.latency_ms, error = excluded.error
        WHERE excluded.attempts = 0 OR w.attempts <= excluded.attempts
        """;

    private const string DropRetries = $"""
        DELETE FROM retries w
        USING {Results}
        WHERE r.status <> 2 AND w.organization_no = r.organization_no AND w.endpoint_id = r.endpoint_id AND w.event_id = r.event_id
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

    /// <summary>See <see cref="IDeliveryStore.RecordAsync"/>.</summary>
    public Task RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken) =>
        batch.Results.Count + batch.Cursors.Count == 0 ? Task.CompletedTask : database.RunAsync(
            async connection =>
            {
                await using var commands = new NpgsqlBatch(connection);
                if (batch.Results.Count > 0) AddResults(commands, batch.Results);
                if (batch.Cursors.Count > 0) AddCursors(commands, batch.Cursors);
                return await commands.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);

    private void AddResults(NpgsqlBatch commands, IReadOnlyList<DeliveryResult> results)
    {
        // In key order, so that two recorders cannot deadlock.
        DeliveryResult[] ordered =
            [.. results.OrderBy(result => result.OrganizationNo).ThenBy(result => result.EventId).ThenBy(result => result.EndpointId)];
        var now = time.GetUtcNow();
        var statements = new List<string>(4);
        if (ordered.Any(result => result.Status != EventStatus.Failed)) statements.AddRange([Outcomes, DropRetries]);
        if (ordered.Any(result => result.Status == EventStatus.Failed)) statements.AddRange([Attempts, Retries]);
        foreach (var sql in statements)
        {
            var command = new NpgsqlBatchCommand(sql);
            Bind(command.Parameters, ordered, now);
            commands.BatchCommands.Add(command);
        }
    }

    private static void Bind(NpgsqlParameterCollection parameters, DeliveryResult[] results, DateTimeOffset now)
    {
        parameters.With(Column(results, result => result.OrganizationNo)).With(Column(results, result => result.EventId.ToGuid()))
            .With(Column(results, result => result.EndpointId)).With(Column(results, result => (short)result.Status))
            .With(Column(results, result => result.NextAttemptAt?.ToUniversalTime()))
            .With(Column(results, result => result.Attempt?.Number))
            .With(Column(results, result => (result.Attempt?.At ?? now).ToUniversalTime()))
            .With(Column(results, result => result.Attempt?.ResponseStatus))
            .With(Column(results, result => result.Attempt?.LatencyMilliseconds))
            .With(Column(results, result => Text(result.Attempt?.Error ?? result.Reason)))
            .With(Column(results, result => Text(result.Attempt?.ResponseBody)));
    }

    private static void AddCursors(NpgsqlBatch commands, IReadOnlyList<LaneCursor> cursors)
    {
        var command = new NpgsqlBatchCommand(Cursors);
        command.Parameters.With(cursors.Select(cursor => cursor.OrganizationNo).ToArray())
            .With(cursors.Select(cursor => cursor.EndpointId).ToArray())
            .With(cursors.Select(cursor => cursor.DeliveredThrough.ToGuid()).ToArray())
            .With(cursors.Select(cursor => cursor.Generation).ToArray());
        commands.BatchCommands.Add(command);
    }

    private static T[] Column<T>(DeliveryResult[] results, Func<DeliveryResult, T> select) =>
        Array.ConvertAll(results, result => select(result));

    /// <summary>Postgres text cannot hold U+0000; one receiver's answer must not refuse the whole batch.</summary>
    private static string? Text(string? text) => text?.Replace('\0', '\uFFFD');
}
