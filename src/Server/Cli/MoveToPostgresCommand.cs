using System.Globalization;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Storage;
using ZapierTriggers.Server.Storage.Moving;
using ZapierTriggers.Server.Storage.Postgres;
using ZapierTriggers.Server.Storage.Sqlite;

namespace ZapierTriggers.Server.Cli;

/// <summary>
/// <c>move-to-postgres [--to &lt;connection string&gt;] [--continue]</c>, while the server is stopped: stores what the journal holds in
/// SQLite, copies every table into an empty Postgres database, and compares. SQLite's file is not changed further. Settings are given as
/// for the server; without <c>--to</c> the target is <c>DATABASE_URL</c>. Exit code 0: all is there; 3: something differs, and no server
/// starts on the target.
/// </summary>
internal static class MoveToPostgresCommand
{
    /// <summary>The command's name, the first argument.</summary>
    public const string Name = "move-to-postgres";

    private const string ToOption = "--to";
    private const string ContinueOption = "--continue";
    private const int SomethingDiffers = 3;

    /// <summary>
    /// Runs it. Throws what <see cref="Operations.StartupFailure"/> explains: a data directory in use, a target that is not empty, …
    /// </summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, CancellationToken cancellationToken)
    {
        var mayContinue = args.Contains(ContinueOption, StringComparer.Ordinal);
        var to = OptionValue.Take(ref args, ToOption);
        var settings = ReplayJournalCommand.Load([.. args.Where(argument => argument != ContinueOption)]);
        var (storage, target) = (settings.Storage with { ConnectionString = null }, to ?? settings.Storage.ConnectionString);
        if (string.IsNullOrWhiteSpace(target))
            throw new StartupException($"{Name} does not know where to: add {ToOption} with a postgres:// URL, or set DATABASE_URL.");
        ReplayJournalCommand.RequireData(storage.DataDirectory);
        var file = Path.Combine(storage.DataDirectory, SqliteStores.FileName);
        if (!File.Exists(file)) throw new StartupException($"There is no {file} to move: the server has not worked with SQLite.");

        using var directory = DataDirectory.Open(storage.DataDirectory, TimeProvider.System);
        using var source = new SqliteTables(file);
        await using var database = new PostgresDatabase(target);
        var progress = new MoveProgress(output, output == Console.Out && !Console.IsOutputRedirected, TimeProvider.System);
        var move = new StoreMove(source, database, TimeProvider.System, progress.Tell);
        var goesOn = await move.CheckAsync(mayContinue, cancellationToken);
        await using (var stores = await StoreSet.OpenAsync(storage, TimeProvider.System, cancellationToken))
        {
            await stores.PrepareAsync(cancellationToken);
            var drained = await JournalDrain.RunAsync(directory, stores, settings, cancellationToken);
            Line(output, "journal", $"{drained:N0} events stored in SQLite first");
        }

        Line(output, "from", $"SQLite at {file}");
        Line(output, "to", $"PostgreSQL at {database.Place}");
        if (!goesOn)
        {
            await using var made = PostgresStores.Open(storage with { ConnectionString = target }, TimeProvider.System);
            await made.PrepareAsync(cancellationToken);
        }

        return await MoveAsync(move, progress, output, cancellationToken);
    }

    private static async Task<int> MoveAsync(StoreMove move, MoveProgress progress, TextWriter output, CancellationToken cancellationToken)
    {
        var tables = await move.BeginAsync(cancellationToken);
        foreach (var table in tables) await move.CopyAsync(table, cancellationToken);
        var events = tables.Single(table => table.Name == MovedTable.Events);
        var differing = 0;
        var lines = new List<string>();
        foreach (var table in tables)
        {
            var (source, target) = await move.CompareAsync(table, events, cancellationToken);
            var same = source == target;
            if (!same) differing++;
            lines.Add(Text($"{table.Name,-18} {source.Rows,12} {target.Rows,12}   {source.Sum:x32} {(same ? "the same" : "DIFFERENT")}"));
        }

        progress.End();
        if (differing == 0) await move.EndAsync(cancellationToken);
        Write(output, lines, differing);
        return differing == 0 ? 0 : SomethingDiffers;
    }

    private static void Write(TextWriter output, IReadOnlyList<string> lines, int differing)
    {
        output.WriteLine("table                    SQLite   PostgreSQL   checksum");
        foreach (var line in lines) output.WriteLine(line);
        if (differing > 0)
        {
            output.WriteLine(
                $"{differing} tables differ: no server starts on this database. Empty it and move again; SQLite is as it was.");
            return;
        }

        output.WriteLine("All is there. One line to change: start with DATABASE_URL=<that connection string>, on this data directory.");
        output.WriteLine(
            $"{SqliteStores.FileName} is not used any more: keep it until you have looked, then delete it. Never start on it again.");
    }

    private static void Line(TextWriter output, string name, FormattableString text) => output.WriteLine($"{name,-11} {Text(text)}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
