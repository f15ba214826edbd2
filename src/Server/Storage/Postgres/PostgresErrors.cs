using System.Net.Sockets;
using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// What each of the driver's errors means, by SQLSTATE (PostgreSQL manual, appendix A). The one place where that is decided.
/// </summary>
internal static class PostgresErrors
{
    /// <summary>The function of PostgreSQL that reports a missing partition (execPartition.c).</summary>
    private const string PartitionRoutine = "ExecFindPartition";

    /// <summary>The server has ended a transaction in which it heard nothing from us (<see cref="PostgresSession"/>).</summary>
    private const string IdleInTransaction = "25P03";

    /// <summary>
    /// Whether the pooled connections must go. A write came to a read-only server: every connection leads to the same demoted node, the
    /// next one must look the host up anew. Or what was prepared on them does not fit any more, because tables were changed or a pooler
    /// has put another server behind them.
    /// </summary>
    public static bool NeedsFreshPool(string? code) => code is PostgresErrorCodes.ReadOnlySqlTransaction
        or PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.InvalidSqlStatementName;

    /// <summary>
    /// The store's own exception for the driver's; null for what is none of the database's (a cancelled call, a programming error), which
    /// is to go on as it is.
    /// </summary>
    public static StoreException? Map(Exception exception) => exception switch
    {
        StoreException => null,
        PostgresException postgres => Map(postgres),
        TimeoutException => Away("did not answer in time", exception),
        NpgsqlException { InnerException: TimeoutException } => Away("did not answer in time", exception),
        NpgsqlException { InnerException: PostgresException postgres } => Map(postgres),
        NpgsqlException or SocketException or IOException => Away("cannot be reached", exception),
        _ => null,
    };

    /// <summary>
    /// A row whose day has no partition. Told from a failed CHECK and from what a trigger raises (the same SQLSTATE) by the function that
    /// reports it, or where that is not told by the missing constraint name, since messages are translated.
    /// </summary>
    public static bool IsMissingPartition(PostgresException exception) =>
        exception.SqlState == PostgresErrorCodes.CheckViolation
        && (exception.Routine is null ? string.IsNullOrEmpty(exception.ConstraintName) : exception.Routine == PartitionRoutine);

    private static StoreException Map(PostgresException error)
    {
        var failure = Classify(error);
        return new StoreException(
            failure,
            $"{Advice(error.SqlState)} (PostgreSQL {error.SqlState}: {error.MessageText})",
            error.SqlState,
            error);
    }

    private static StoreFailure Classify(PostgresException error) => error.SqlState switch
    {
        // A missing partition is made by the writer; where it is met elsewhere, waiting for that helps.
        PostgresErrorCodes.CheckViolation when IsMissingPartition(error) => StoreFailure.Unavailable,
        PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.UndefinedTable
            or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.InsufficientPrivilege
            or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.FeatureNotSupported
            or PostgresErrorCodes.InvalidSqlStatementName or IdleInTransaction => StoreFailure.Unavailable,
        // A value too large for an index: the row's own trouble.
        PostgresErrorCodes.ProgramLimitExceeded => StoreFailure.RowRefused,
        _ => error.SqlState[..2] switch
        {
            "08" or "28" or "40" or "53" or "58" or "XX" => StoreFailure.Unavailable,
            "57" => StoreFailure.Unavailable,
            "22" or "23" => StoreFailure.RowRefused,
            _ => StoreFailure.Fault,
        },
    };

    /// <summary>What an operator can do about it.</summary>
    private static string Advice(string state) => state switch
    {
        PostgresErrorCodes.ReadOnlySqlTransaction =>
            "The database is read-only: point the connection at the primary, or end its read-only mode",
        PostgresErrorCodes.TooManyConnections =>
            "The database has no free connection: raise max_connections or lower the pool's Maximum Pool Size",
        PostgresErrorCodes.DiskFull => "The database's disk is full: free space",
        PostgresErrorCodes.InvalidCatalogName =>
            "The database does not exist: create it (CREATE DATABASE), or correct the connection string",
        PostgresErrorCodes.InvalidSchemaName => "The schema that search_path names does not exist: create it (CREATE SCHEMA)",
        PostgresErrorCodes.UndefinedTable => "A table is missing: restore it, or restart the server so that it makes its tables",
        PostgresErrorCodes.InsufficientPrivilege =>
            "The database user lacks a privilege: grant it CREATE and USAGE on the schema and all rights on its tables",
        PostgresErrorCodes.LockNotAvailable => "A table is locked by another session: end that session",
        _ => state[..2] switch
        {
            "28" => "The database refuses the user or password: correct the connection string or pg_hba.conf",
            "40" => "The database ended the transaction in favour of another; it will be tried again",
            "53" => "The database is out of resources",
            "57" => "The database is starting, stopping or has cancelled the statement",
            "58" or "XX" => "The database has an error of its system or its files: look into its log",
            "22" or "23" => "The database refuses the row",
            "08" => "The connection to the database failed",
            _ => "The database refuses the statement: schema and server do not fit together",
        },
    };

    private static StoreException Away(string trouble, Exception exception) => new(
        StoreFailure.Unavailable,
        $"The database {trouble}: check that PostgreSQL runs and that host, port and firewall are right "
        + $"({exception.GetBaseException().Message})",
        null,
        exception);
}
