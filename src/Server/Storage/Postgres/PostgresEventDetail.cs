using Npgsql;
using ZapierTriggers.Core.Storing;
using Delivery = ZapierTriggers.Core.Storing.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>One event with what happened at each endpoint.</summary>
internal sealed class PostgresEventDetail(PostgresDatabase database)
{
    /// <summary>See <see cref="IEventStore.FindEventAsync"/>.</summary>
    public Task<EventDetail?> FindAsync(int organizationNo, EventId id, CancellationToken cancellationToken) =>
        database.RunAsync(
            async connection =>
            {
                var stored = await PostgresInbox.FindAsync(connection, organizationNo, id.ToGuid(), cancellationToken);
                return stored is null ? null : new EventDetail(
                    stored,
                    await ReadDeliveriesAsync(connection, organizationNo, id, cancellationToken));
            },
            cancellationToken);

    private static async Task<IReadOnlyList<Delivery>> ReadDeliveriesAsync(
        NpgsqlConnection connection,
        int organizationNo,
        EventId id,
        CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(EventDetailStatements.Attempts).With(organizationNo).With(id);
        batch.Add(EventDetailStatements.Deliveries).With(organizationNo).With(id);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var attempts = (await reader.ReadAllAsync(EventDetailStatements.ReadAttempt, cancellationToken))
            .ToLookup(row => row.EndpointId, row => row.Attempt);
        await reader.NextResultAsync(cancellationToken);
        return await reader.ReadAllAsync(row => EventDetailStatements.ReadDelivery(row, attempts), cancellationToken);
    }
}
