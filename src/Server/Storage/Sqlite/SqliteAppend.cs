using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Inserts events: the journal's UTF-8 and bytes go into the statement as they are, without a string or an array in between. Used on the
/// writing thread only.
/// </summary>
internal static class SqliteAppend
{
    private const string Insert = """
        INSERT INTO events (organization_no, id, type, dedup_id, ordering_key, payload_hash, payload, traceparent)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """;

    /// <summary>Inserts all. Throws <see cref="SqliteException"/>; the caller's transaction takes back what was inserted before.</summary>
    public static void Run(SqliteConnection connection, ReadOnlySpan<JournaledEvent> events)
    {
        using var insert = new SqlitePrepared(connection, Insert);
        foreach (ref readonly var journaled in events)
        {
            insert.Bind(1, (long)journaled.OrganizationNo);
            insert.Bind(2, journaled.Id);
            insert.BindText(3, journaled.Type.Span);
            insert.BindOptionalText(4, journaled.DedupId.Span);
            insert.BindOptionalText(5, journaled.OrderingKey.Span);
            insert.Bind(6, unchecked((long)journaled.PayloadHash));
            insert.BindBytes(7, journaled.Payload.Span);
            insert.Bind(8, journaled.TraceParent);
            insert.Run();
        }
    }
}
