using Microsoft.Data.Sqlite;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Takes what was erased out of the free space of the file and out of the log. That it is owed stands in the database, in the transaction
/// that erases, so that it is done after a crash, too. Not safe for concurrent use, <see cref="Owe"/> excepted.
/// </summary>
internal sealed class SqlitePurge(SqliteDatabase database)
{
    /// <summary>Pages in one go, 16 MiB of them: some ten milliseconds in which nobody writes.</summary>
    public const int PagesAtOnce = 4096;

    /// <summary>
    /// Up to about so many pages, 8 GiB, there is a last pass without pauses, which holds up the writer for about two seconds.
    /// </summary>
    private const int LargestFile = 2 * 1024 * 1024;

    private const string OweSql = "UPDATE purge SET owed = owed + 1";
    private const string ReadSql = "SELECT owed FROM purge";
    private const string PaidSql = "UPDATE purge SET owed = 0 WHERE owed = $1";

    private (long Owed, long Page) _pass;

    /// <summary>Rows are erased in this transaction, or what selected them is; on the writing thread.</summary>
    public static void Owe(SqliteConnection connection) => connection.Execute(OweSql);

    /// <summary>
    /// Goes through the whole file, if that is owed, and whatever else waits for the writer has its turn between pieces. False when a
    /// reader is in the way: then to be tried again after a pause, and it goes on where it was.
    /// </summary>
    public async Task<bool> TryRunAsync(CancellationToken cancellationToken)
    {
        var owed = await database.ReadAsync(connection => connection.Query(ReadSql, row => row.GetInt64(0))[0], cancellationToken);
        if (owed == 0) return true;
        if (_pass.Owed != owed) _pass = (owed, 0);
        for (long? next = _pass.Page; next is { } page;)
        {
            _pass.Page = page;
            (var isDone, next) = await database.TryOverwriteFreeSpaceAsync(page, PagesAtOnce, cancellationToken);
            if (!isDone) return false;
        }

        // Between two pieces a split may give a page that has not been reached the number of one that has: once more, with nothing between.
        if (_pass.Page is > 0 and < LargestFile
            && !(await database.TryOverwriteFreeSpaceAsync(0, long.MaxValue, cancellationToken)).IsDone)
        {
            return false;
        }

        _pass = default;
        await database.WriteAsync(connection => connection.Execute(PaidSql, owed), cancellationToken);
        return true;
    }
}
