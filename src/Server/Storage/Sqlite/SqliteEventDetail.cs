using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>One event with what happened at each endpoint.</summary>
internal sealed class SqliteEventDetail(SqliteDatabase database)
{
    /// <summary>See <see cref="IEventStore.FindEventAsync"/>.</summary>
    public Task<EventDetail?> FindAsync(int organizationNo, EventId id, CancellationToken cancellationToken) =>
        database.ReadAsync(connection => Find(connection, organizationNo, id), cancellationToken);

    private static EventDetail? Find(SqliteConnection connection, int organizationNo, EventId id)
    {
        if (SqliteInbox.Find(connection, organizationNo, id) is not { } stored) return null;
        var attempts = connection.Query(EventDetailStatements.Attempts, EventDetailStatements.ReadAttempt, organizationNo, id)
            .ToLookup(row => row.EndpointId, row => row.Attempt);
        var deliveries = connection.Query(
            EventDetailStatements.Deliveries, row => EventDetailStatements.ReadDelivery(row, attempts), organizationNo, id);
        return new EventDetail(stored, deliveries);
    }
}
