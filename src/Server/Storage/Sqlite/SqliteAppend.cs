using Microsoft.Data.Sqlite;
using SQLitePCL;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Inserts events through SQLite's own calls: the journal's UTF-8 and bytes go into the statement as they are, without a string or an array
/// in between. Used on the writing thread only.
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
        var database = connection.Handle!;
        Check(raw.sqlite3_prepare_v2(database, Insert, out var statement), database);
        using var prepared = statement;
        foreach (ref readonly var journaled in events)
        {
            Bind(database, statement, journaled);
            var result = raw.sqlite3_step(statement);
            if (result != raw.SQLITE_DONE)
            {
                // The driver reads message and extended code from the connection, so before reset.
                try
                {
                    SqliteException.ThrowExceptionForRC(result, database);
                }
                finally
                {
                    _ = raw.sqlite3_reset(statement);
                }
            }

            Check(raw.sqlite3_reset(statement), database);
        }
    }

    private static void Bind(sqlite3 database, sqlite3_stmt statement, in JournaledEvent journaled)
    {
        Span<byte> id = stackalloc byte[EventId.ByteLength];
        journaled.Id.WriteBytes(id);
        Check(raw.sqlite3_bind_int(statement, 1, journaled.OrganizationNo), database);
        Check(raw.sqlite3_bind_blob(statement, 2, id), database);
        Check(raw.sqlite3_bind_text(statement, 3, journaled.Type.Span), database);
        Check(BindOptional(statement, 4, journaled.DedupId.Span), database);
        Check(BindOptional(statement, 5, journaled.OrderingKey.Span), database);
        Check(raw.sqlite3_bind_int64(statement, 6, unchecked((long)journaled.PayloadHash)), database);
        Check(raw.sqlite3_bind_blob(statement, 7, journaled.Payload.Span), database);
        Check(BindTrace(statement, 8, journaled.TraceParent), database);
    }

    private static int BindTrace(sqlite3_stmt statement, int index, TraceParent trace)
    {
        if (trace.IsNone) return raw.sqlite3_bind_null(statement, index);
        Span<byte> bytes = stackalloc byte[TraceParent.ByteLength];
        trace.WriteBytes(bytes);
        return raw.sqlite3_bind_blob(statement, index, bytes);
    }

    private static int BindOptional(sqlite3_stmt statement, int index, ReadOnlySpan<byte> text) =>
        text.IsEmpty ? raw.sqlite3_bind_null(statement, index) : raw.sqlite3_bind_text(statement, index, text);

    private static void Check(int result, sqlite3 database)
    {
        if (result != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(result, database);
    }
}
