using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>What is in SQLite of a journal.</summary>
internal sealed class SqliteReplays(SqliteDatabase database) : IReplayStore
{
    private const string Known = """
        SELECT 1 FROM events WHERE organization_no = $1 AND id = $2
        UNION ALL
        SELECT 1 FROM quarantine WHERE organization_no = $1 AND id = $2
        UNION ALL
        SELECT 0 FROM erased_events WHERE organization_no = $1 AND id = $2
        UNION ALL
        SELECT 0 FROM expirations WHERE organization_no = $1 AND expired_through >= $2
        """;

    /// <inheritdoc/>
    public Task<KnownEvents> FindKnownAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken) =>
        database.ReadAsync(
            connection =>
            {
                using var find = new SqliteStatement(connection, Known);
                var (there, removed) = (new HashSet<EventId>(), new HashSet<EventId>());
                foreach (ref readonly var item in events.Span)
                {
                    var found = find.Query(row => row.GetInt32(0), item.OrganizationNo, item.Id);
                    if (found.Count > 0) (found.Contains(1) ? there : removed).Add(item.Id);
                }

                return new KnownEvents(there, removed);
            },
            cancellationToken);
}
