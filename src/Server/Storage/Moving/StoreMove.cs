using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Storage.Postgres;
using ZapierTriggers.Server.Storage.Sqlite;

namespace ZapierTriggers.Server.Storage.Moving;

/// <summary>
/// Copies every table of a SQLite file that nobody writes into an empty Postgres database, and compares. Rows go in the order of their
/// keys, by transactions of some megabytes, so that an interrupted move goes on behind the last row that is there. Until
/// <see cref="EndAsync"/> no server starts on the database.
/// </summary>
internal sealed class StoreMove(SqliteTables source, PostgresDatabase target, TimeProvider time, Action<string, string, long, long> told)
{
    /// <summary>Bytes of rows in one transaction, plus a row.</summary>
    private const int BatchBytes = 4 << 20;

    /// <summary>
    /// What is not copied, with the reason. Everything else in either store must be in both, with the same columns: a table added later is
    /// moved by itself, or stops the move until it is added here.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, string> NotMoved = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["schema_versions"] = "each store has migrations of its own",
        ["probes"] = "one row that means nothing, made by the migrations",
        ["inbox_marks"] = "derived from the events; found again",
        ["purge"] = "only in SQLite; what is owed to the file that is left",
        ["account_changes"] = "only in Postgres; its triggers fill it while the accounts are copied",
    };

    private readonly PostgresTables _tables = new(target);
    private readonly PostgresPartitions _partitions = new(target, time, daysAhead: 0);
    private readonly CopyRows _rows = new();

    /// <summary>
    /// Whether the target is as a move may find it: empty, or, when going on, half filled. Throws <see cref="StoreException"/>.
    /// </summary>
    /// <returns>Whether it is half filled.</returns>
    public async Task<bool> CheckAsync(bool mayContinue, CancellationToken cancellationToken)
    {
        var tables = await _tables.ReadAsync(cancellationToken);
        if (tables.ContainsKey("schema_versions") && await _tables.IsMarkedAsync(cancellationToken))
        {
            return mayContinue ? true : throw new StoreException(
                StoreFailure.Fault,
                $"{target.Place} holds a part of an earlier move: add --continue to go on, or empty it (DROP SCHEMA … CASCADE, CREATE SCHEMA …).");
        }

        foreach (var name in tables.Keys.Where(name => !NotMoved.ContainsKey(name)))
        {
            if (!await _tables.HasRowsAsync(name, cancellationToken)) continue;
            throw new StoreException(
                StoreFailure.Fault,
                $"{target.Place} is not empty: {name} has rows. Give the move a new database or schema. A move that has ended needs no other.");
        }

        return false;
    }

    /// <summary>
    /// Pairs the tables of both stores; from here on no server starts on the target. Throws when they do not fit together.
    /// </summary>
    public async Task<IReadOnlyList<MovedTable>> BeginAsync(CancellationToken cancellationToken)
    {
        await _tables.MarkAsync(cancellationToken);
        var (theirs, ours) = (await _tables.ReadAsync(cancellationToken), source.Read());
        foreach (var name in theirs.Keys.Union(ours.Keys).Where(name => !NotMoved.ContainsKey(name)))
        {
            var fits = theirs.TryGetValue(name, out var table) && ours.TryGetValue(name, out var columns) && table.Key.Count > 0
                && columns.Order(StringComparer.Ordinal).SequenceEqual(
                    table.Columns.Select(column => column.Name).Order(StringComparer.Ordinal));
            if (!fits)
                throw new StoreException(
                    StoreFailure.Fault, $"The table {name} is not the same in both stores; no move knows what to do with it.");
        }

        // Quarantine before events: it takes those that Postgres refuses, and goes on behind its own last row.
        return [.. theirs.Values.Where(table => !NotMoved.ContainsKey(table.Name))
            .OrderBy(table => table.Name == MovedTable.Events).ThenBy(table => table.Name, StringComparer.Ordinal)];
    }

    /// <summary>Copies what the target does not have yet of a table.</summary>
    public async Task CopyAsync(MovedTable table, CancellationToken cancellationToken)
    {
        var total = source.Count(table.Name);
        using var reader = source.Open(table, await _tables.LastKeyAsync(table, cancellationToken));
        var batch = new MoveBatch(table, reader, _rows);
        for (var (done, more) = (0L, true); more;)
        {
            more = SqliteTables.Mapped(() => batch.Fill(BatchBytes));
            if (table.Name == MovedTable.Events && batch.Days.Count > 0) await _partitions.MakeForAsync(batch.Days, cancellationToken);
            if (batch.Count > 0)
            {
                await target.RunInTransactionAsync(
                    async connection =>
                    {
                        await PostgresTableCopy.AppendAsync(connection, table, _rows.Written, cancellationToken);
                        foreach (var refused in batch.Refused) await PostgresTables.SetAsideAsync(connection, refused, cancellationToken);
                        return true;
                    },
                    cancellationToken);
            }

            done += batch.Count;
            told("copied", table.Name, done, total);
        }
    }

    /// <summary>Reads the table in both stores; the same unless something went wrong or somebody writes.</summary>
    public async Task<(TableDigest Source, TableDigest Target)> CompareAsync(
        MovedTable table, MovedTable events, CancellationToken cancellationToken)
    {
        var (total, expected) = (source.Count(table.Name), default(TableDigest));
        Read(table, (reader, refused) =>
        {
            if (refused) return;
            expected = Digest(expected, () => reader.WriteTo(_rows));
            if (expected.Rows % 65_536 == 0) told("compared", table.Name, expected.Rows / 2, total);
        });
        if (table.Name == MovedTable.Quarantine)
        {
            Read(events, (reader, refused) =>
            {
                if (refused) expected = Digest(expected, () => new RefusedRow(reader.ReadEvent()).WriteTo(_rows, table));
            });
        }

        var found = await PostgresTableCopy.DigestAsync(
            target, table, rows => told("compared", table.Name, (total + rows) / 2, total), cancellationToken);
        return (expected, found);
    }

    /// <summary>The database is a server's from now on.</summary>
    public Task EndAsync(CancellationToken cancellationToken) => _tables.UnmarkAsync(cancellationToken);

    private void Read(MovedTable table, Action<SqliteTableReader, bool> row)
    {
        using var reader = source.Open(table, []);
        _ = SqliteTables.Mapped(() =>
        {
            while (reader.Next()) row(reader, table.Name == MovedTable.Events && reader.HasZero());
            return true;
        });
    }

    private TableDigest Digest(TableDigest digest, Action write)
    {
        _rows.Clear();
        write();
        return digest.With(_rows.Row);
    }
}
