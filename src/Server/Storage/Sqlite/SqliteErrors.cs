using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>What each result code means (sqlite.org/rescode.html). The one place where that is decided.</summary>
internal static class SqliteErrors
{
    /// <summary>The store's own exception for the driver's; null for what is none of the database's, which is to go on as it is.</summary>
    public static StoreException? Map(Exception exception) => exception switch
    {
        SqliteException sqlite => new StoreException(
            Classify(sqlite.SqliteErrorCode),
            $"{Advice(sqlite.SqliteErrorCode)} (SQLite {sqlite.SqliteExtendedErrorCode}: {sqlite.Message})",
            sqlite.SqliteExtendedErrorCode.ToString(CultureInfo.InvariantCulture),
            sqlite),
        IOException or UnauthorizedAccessException => new StoreException(
            StoreFailure.Unavailable,
            $"The data directory cannot be used: make it writable, or set Storage:DataDirectory to one that is ({exception.Message})",
            null,
            exception),
        _ => null,
    };

    private static StoreFailure Classify(int code) => code switch
    {
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_FULL or raw.SQLITE_READONLY
            or raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN or raw.SQLITE_NOMEM or raw.SQLITE_PROTOCOL
            or raw.SQLITE_PERM or raw.SQLITE_INTERRUPT => StoreFailure.Unavailable,
        raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH => StoreFailure.RowRefused,
        _ => StoreFailure.Fault,
    };

    /// <summary>What an operator can do about it.</summary>
    private static string Advice(int code) => code switch
    {
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => "The database file is locked by another process: end it",
        raw.SQLITE_FULL => "The disk of the data directory is full: free space",
        raw.SQLITE_READONLY or raw.SQLITE_PERM => "The database file is read-only: make file and directory writable for this user",
        raw.SQLITE_CANTOPEN => "The database file cannot be opened: check path and rights of the data directory",
        raw.SQLITE_IOERR => "The disk of the data directory fails: look into the system's log",
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => "The database file is damaged or no database: restore it from a backup",
        raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH => "The database refuses the row",
        _ => "The database refuses the statement: schema and server do not fit together",
    };
}
