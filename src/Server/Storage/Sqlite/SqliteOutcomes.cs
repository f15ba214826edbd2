using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Finished tries. On the only writing connection nothing comes between reading what is there and writing what <see cref="DeliveryPlan"/>
/// makes of it.
/// </summary>
internal sealed class SqliteOutcomes(SqliteDatabase database, TimeProvider time)
{
    private const string Cursor = """
        UPDATE lanes SET delivered_through = $3
        WHERE organization_no = $1 AND endpoint_id = $2 AND generation = $4 AND delivered_through < $3
        """;

    /// <summary>See <see cref="IDeliveryStore.FindDeadLettersAsync"/>.</summary>
    public Task<IReadOnlyList<DeliveryResult>> FindDeadLettersAsync(
        IReadOnlyList<DeliveryResult> results, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<DeliveryResult>>(
            connection =>
            {
                using var record = new SqliteRecord(connection, time.GetUtcNow());
                return [.. results.Where(record.MakesDeadLetter)];
            },
            cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.RecordAsync"/>.</summary>
    public Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken) =>
        batch.Results.Count + batch.Cursors.Count == 0 ? Task.FromResult(false) : database.WriteAsync(
            connection =>
            {
                var isDueNow = false;
                using (var record = new SqliteRecord(connection, time.GetUtcNow()))
                {
                    foreach (var result in batch.Results) isDueNow |= record.Record(result);
                    SqliteUsage.Add(connection, record.Delivered.Sums, Guid.Empty);
                }

                using var move = new SqliteStatement(connection, Cursor);
                foreach (var cursor in batch.Cursors)
                    move.Execute(cursor.OrganizationNo, cursor.EndpointId, cursor.DeliveredThrough, cursor.Generation);
                return isDueNow;
            },
            cancellationToken);
}
