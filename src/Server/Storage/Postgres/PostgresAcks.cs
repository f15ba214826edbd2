using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Acknowledgements.</summary>
internal sealed class PostgresAcks(PostgresDatabase database)
{
    private const string Keys = PostgresKeys.Given;

    /// <summary>In key order, so that two callers with the same ids cannot deadlock.</summary>
    private const string Insert = $"""
        INSERT INTO acks (organization_no, event_id, at)
        SELECT $1, k.id, $3
        FROM {PostgresKeys.FoundEvents}
        ORDER BY k.id
        ON CONFLICT DO NOTHING
        """;

    /// <summary>What was asked for by hand is sent all the same.</summary>
    private const string DropRetries = $"""
        DELETE FROM retries r
        USING {Keys} k
        JOIN acks a ON a.organization_no = k.organization_no AND a.event_id = k.id
        WHERE r.organization_no = k.organization_no AND r.event_id = k.id AND r.owed = 0
        """;

    private const string Read = """
        SELECT a.event_id, a.at
        FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (SELECT x.event_id, x.at FROM acks x WHERE x.organization_no = $1 AND x.event_id = k.id OFFSET 0) a
        """;

    /// <summary>See <see cref="Core.Storing.IEventStore.AcknowledgeAsync"/>. One round trip: a batch is one implicit transaction.</summary>
    public Task<Acknowledgements> AcknowledgeAsync(
        int organizationNo,
        IReadOnlyList<EventId> ids,
        DateTimeOffset at,
        CancellationToken cancellationToken)
    {
        var keys = ids.Distinct().Select(id => id.ToGuid()).ToArray();
        return database.RunAsync(
            async connection =>
            {
                await using var batch = new NpgsqlBatch(connection);
                Add(batch, Insert, organizationNo, keys).With(at.ToUniversalTime());
                Add(batch, DropRetries, organizationNo, keys);
                Add(batch, Read, organizationNo, keys);
                await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
                var times = new Dictionary<EventId, DateTimeOffset>(keys.Length);
                while (await reader.ReadAsync(cancellationToken)) times[reader.GetEventId(0)] = reader.GetTime(1);
                return new Acknowledgements(
                    [.. ids.Select(id => times.TryGetValue(id, out var time) ? time : (DateTimeOffset?)null)],
                    batch.BatchCommands[0].RecordsAffected);
            },
            cancellationToken);
    }

    private static NpgsqlParameterCollection Add(NpgsqlBatch batch, string sql, int organizationNo, Guid[] keys)
    {
        var command = new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return command.Parameters.With(organizationNo).With(keys);
    }
}
