using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Removes events with all that hangs on them, and counts them in the ledger; in the caller's transaction. It begins with the lock on the
/// organization's lanes that recording and replays take too: nothing is written for an event while it goes.
/// </summary>
internal static class PostgresRemoval
{
    private const string LockLanes = """
        SELECT 1 FROM lanes l WHERE l.organization_no = $1 ORDER BY l.endpoint_id FOR NO KEY UPDATE
        """;

    private const string Keys = PostgresKeys.Given;

    private const string Events = $"""
        DELETE FROM events e USING {Keys} k WHERE e.organization_no = k.organization_no AND e.id = k.id
        RETURNING e.id, e.dedup_id, e.payload_hash
        """;

    private const string Quarantine = $"""
        DELETE FROM quarantine q USING {Keys} k WHERE q.organization_no = k.organization_no AND q.id = k.id
        RETURNING q.id, NULL::text, 0::bigint
        """;

    private const string Retries = $"""
        DELETE FROM retries r USING {Keys} k WHERE r.organization_no = k.organization_no AND r.event_id = k.id
        """;

    private const string Attempts = $"""
        DELETE FROM attempts a USING {Keys} k WHERE a.organization_no = k.organization_no AND a.event_id = k.id
        """;

    private const string Outcomes = $"""
        DELETE FROM outcomes o USING {Keys} k WHERE o.organization_no = k.organization_no AND o.event_id = k.id
        """;

    private const string Acks = $"""
        DELETE FROM acks a USING {Keys} k WHERE a.organization_no = k.organization_no AND a.event_id = k.id
        """;

    private const string Count = """
        INSERT INTO ledger_days AS l (organization_no, day, kind, events)
        SELECT $1, u.day, $4, u.events
        FROM unnest($2::integer[], $3::bigint[]) AS u (day, events)
        ON CONFLICT (organization_no, day, kind) DO UPDATE SET events = l.events + excluded.events
        """;

    private const string Keep = """
        INSERT INTO erased_events (organization_no, id, dedup_hash, payload_hash, in_journal, erasure, chunk_end)
        SELECT $1, u.id, u.dedup_hash, u.payload_hash, u.id >= $5, $6, $7
        FROM unnest($2::uuid[], $3::bytea[], $4::bigint[]) AS u (id, dedup_hash, payload_hash)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Removes those of the events that are there; returns which, and how many webhooks waited for a try of them.</summary>
    public static async Task<(IReadOnlyList<RemovedEvent> Events, int Webhooks)> RunAsync(
        NpgsqlConnection connection, int organizationNo, Guid[] ids, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(LockLanes).With(organizationNo);
        foreach (var sql in (ReadOnlySpan<string>)[Events, Quarantine, Retries, Attempts, Outcomes, Acks])
            batch.Add(sql).With(organizationNo).With(ids);
        var removed = new List<RemovedEvent>();
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            do
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    if (reader.FieldCount == 3)
                        removed.Add(new RemovedEvent(reader.GetEventId(0), reader.GetTextOrNull(1), reader.GetInt64(2)));
                }
            }
            while (await reader.NextResultAsync(cancellationToken));
        }

        return (removed, (int)batch.BatchCommands[3].RecordsAffected);
    }

    /// <summary>Counts them in the ledger.</summary>
    public static async Task CountAsync(
        NpgsqlConnection connection, int organizationNo, IEnumerable<EventId> ids, LedgerKind kind, CancellationToken cancellationToken)
    {
        var count = new LedgerCount();
        foreach (var id in ids) count.Add(organizationNo, id);
        var (_, days, events) = count.Take();
        if (days.Length == 0) return;
        await using var command = new NpgsqlCommand(Count, connection);
        command.Parameters.With(organizationNo).With(days).With(events).With((short)kind);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Keeps what must be kept of a chunk of erased events, after which its erasure is as <paramref name="moved"/>; dedup ids only of those
    /// accepted at or after <paramref name="hashesFrom"/>.
    /// </summary>
    public static async Task KeepAsync(
        NpgsqlConnection connection,
        Erasure moved,
        IReadOnlyList<RemovedEvent> removed,
        EventId journalFrom,
        EventId hashesFrom,
        CancellationToken cancellationToken)
    {
        if (removed.Count == 0) return;
        await using var command = new NpgsqlCommand(Keep, connection);
        command.Parameters.With(moved.OrganizationNo)
            .With(removed.Select(one => one.Id.ToGuid()).ToArray())
            .With(removed.Select(one => one.HashOf(moved.OrganizationNo, hashesFrom)).ToArray())
            .With(removed.Select(one => one.Id >= hashesFrom ? one.PayloadHash : 0).ToArray())
            .With(journalFrom)
            .With(moved.Id)
            .With(moved.Cursor);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Adds a statement; returns its parameters.</summary>
    public static NpgsqlParameterCollection Add(this NpgsqlBatch batch, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return command.Parameters;
    }
}
