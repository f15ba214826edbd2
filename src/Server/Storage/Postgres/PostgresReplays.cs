using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>What is in Postgres of a journal.</summary>
internal sealed class PostgresReplays(PostgresDatabase database) : IReplayStore
{
    private const string Known = """
        SELECT u.id, u.is_there
        FROM (
            SELECT k.organization_no, k.id,
                   EXISTS (SELECT 1 FROM events e WHERE e.organization_no = k.organization_no AND e.id = k.id)
                   OR EXISTS (SELECT 1 FROM quarantine q WHERE q.organization_no = k.organization_no AND q.id = k.id) AS is_there
            FROM unnest($1::integer[], $2::uuid[]) AS k (organization_no, id)
        ) u
        WHERE u.is_there
           OR EXISTS (SELECT 1 FROM erased_events x WHERE x.organization_no = u.organization_no AND x.id = u.id)
           OR EXISTS (SELECT 1 FROM expirations t WHERE t.organization_no = u.organization_no AND t.expired_through >= u.id)
        """;

    /// <inheritdoc/>
    public async Task<KnownEvents> FindKnownAsync(ReadOnlyMemory<JournaledEvent> events, CancellationToken cancellationToken)
    {
        var (organizations, ids) = (new int[events.Length], new Guid[events.Length]);
        for (var i = 0; i < ids.Length; i++)
            (organizations[i], ids[i]) = (events.Span[i].OrganizationNo, events.Span[i].Id.ToGuid());
        var rows = await database.QueryAsync(
            Known, parameters =>
                parameters.With(organizations).With(ids), row => (Id: row.GetEventId(0), IsThere: row.GetBoolean(1)), cancellationToken);
        return new KnownEvents(
            rows.Where(row => row.IsThere).Select(row => row.Id).ToHashSet(), rows.Where(row => !row.IsThere).Select(row => row.Id)
                .ToHashSet());
    }
}
