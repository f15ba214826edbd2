using System.Globalization;
using Npgsql;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// What makes every call end, and soon, whatever happened to the connection or the server. The driver ends a statement (COPY and COMMIT
/// too) after its Command Timeout; but a backend that we left behind may sit in its transaction and hold the checkpoint's lock against us,
/// until the settings here end it. They are set once for each connection, as statements: poolers refuse start-up options.
/// </summary>
internal static class PostgresSession
{
    /// <summary>Seconds after which the driver gives a statement up, unless the connection string says otherwise.</summary>
    public const int CommandTimeout = 15;

    /// <summary>Seconds to connect and log in, unless the connection string says otherwise.</summary>
    public const int ConnectTimeout = 5;

    /// <summary>
    /// The statement that sets up a connection:
    /// <list type="bullet">
    /// <item>a transaction in which nothing is heard from us for the command's time is ended</item>
    /// <item>a lock is waited for half of that: then the error says that it is a lock</item>
    /// <item>pages are read along their keys: of a day's table that nobody has analyzed yet Postgres expects a few rows, and then would
    /// collect and sort all that wait, for each page again</item>
    /// <item>nothing is compiled: that takes longer than our statements do, and is begun by estimates of what they would cost without their limit</item>
    /// <item>a peer that has gone without a word is noticed by the system in about that time, even in the middle of a COPY</item>
    /// </list>
    /// </summary>
    public static string Sql(int commandTimeout) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        SET idle_in_transaction_session_timeout = '{commandTimeout}s'; SET lock_timeout = '{commandTimeout * 500}ms';
        SET tcp_keepalives_idle = {commandTimeout}; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
        SET tcp_user_timeout = '{commandTimeout + 15}s'; SET enable_bitmapscan = off;
        SET jit = off
        """);

    /// <summary>Lets the data source set up each connection that it opens.</summary>
    public static void AddTo(NpgsqlSlimDataSourceBuilder builder)
    {
        var sql = Sql(builder.ConnectionStringBuilder.CommandTimeout);
        builder.UsePhysicalConnectionInitializer(
            connection =>
            {
                using var command = new NpgsqlCommand(sql, connection);
                command.ExecuteNonQuery();
            },
            async connection =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                await command.ExecuteNonQueryAsync();
            });
    }
}
