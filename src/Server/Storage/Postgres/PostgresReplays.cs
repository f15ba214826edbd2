using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>What is in Postgres of a journal.</summary>
internal sealed class PostgresReplays(PostgresDatabase database) : IReplayStore
{
    private const string Checkpoint = """
        SELECT s.stored_through, s.stored_sequence
        FROM shards s
        WHERE s.shard = $1 AND s.journal_id = $2 AND s.stored_through IS NOT NULL
        """;

    private const string Known = """
        SELECT u.id
        FROM unnest($1::integer[], $2::uuid[]) AS u (organization_no, id)
        WHERE EXISTS (SELECT 1 FROM events e WHERE e.organization_no = u.organization_no AND e.id = u.id)
           OR EXISTS (SELECT 1 FROM quarantine q WHERE q.organization_no = u.organization_no AND q.id = u.id)
        """;

    /// <inheritdoc/>
    public async Task<Checkpoint?> FindCheckpointAsync(int shard, Guid journalId, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            Checkpoint,
            parameters => parameters.With(shard).With(journalId),
            row => new Checkpoint(row.GetEventId(0), row.GetInt64(1)),
            cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlySet<EventId>> FindKnownAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken)
    {
        var (organizations, ids) = (new int[events.Length], new Guid[events.Length]);
        for (var i = 0; i < ids.Length; i++)
            (organizations[i], ids[i]) = (events.Span[i].OrganizationNo, events.Span[i].Id.ToGuid());
        var rows = await database.QueryAsync(
            Known, parameters => parameters.With(organizations).With(ids), row => row.GetEventId(0), cancellationToken);
        return rows.ToHashSet();
    }
}
