using System.Globalization;
using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Operations;
using ZapierTriggers.Server.Storage.Sqlite;

namespace ZapierTriggers.Server.Cli;

/// <summary>
/// <c>backup --to &lt;directory&gt;</c>, while the server runs or not: one state of SQLite's file, checked and on the disk, with the admin
/// token. The journal does not belong in it: see docs/operations.md, "Backup". Settings are given as for the server.
/// </summary>
internal static class BackupCommand
{
    /// <summary>The command's name, the first argument.</summary>
    public const string Name = "backup";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Runs it. Throws what <see cref="StartupFailure"/> explains.</summary>
    public static int Run(string[] args, TextWriter output)
    {
        var to = OptionValue.Take(ref args, "--to") ?? throw new StartupException(
            $"{Name} does not know where to: add --to with a directory.");
        var settings = ReplayJournalCommand.Load(args).Storage;
        if (!string.IsNullOrWhiteSpace(settings.ConnectionString))
            throw new StartupException(
                "the events are in PostgreSQL: back it up with pg_dump or its own means (docs/operations.md, \"Backup\").");
        ReplayJournalCommand.RequireData(settings.DataDirectory);
        var copy = Path.Combine(to, SqliteStores.FileName);
        if (File.Exists(copy)) throw new StartupException($"{copy} is there already: give each backup a directory of its own.");

        var unfinished = copy + ".unfinished";
        try
        {
            Directory.CreateDirectory(to);
            File.Delete(unfinished);
            if (!OperatingSystem.IsWindows()) File.Create(unfinished, 1, FileOptions.None).Dispose();
            Protect(unfinished);
            using (var source = new SqliteTables(Path.Combine(settings.DataDirectory, SqliteStores.FileName))) source.CopyTo(unfinished);
            var events = Check(unfinished);
            Sync(unfinished);
            CopyToken(settings.DataDirectory, to);
            DurableFile.Rename(unfinished, copy);
            DurableFile.SyncDirectory(to);
            output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{copy}: {events} events, {new FileInfo(copy).Length:N0} bytes, checked."));
            return 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"the backup could not be written to {to}: {error.Message}");
        }
    }

    private static long Check(string path)
    {
        using var copy = new SqliteTables(path);
        if (copy.Fault() is { } fault) throw new StartupException($"{path} is no good backup: {fault}. Is the disk sound?");
        return copy.Count("events");
    }

    /// <summary>The token's file, where the server made one, and the hash of the one before.</summary>
    private static void CopyToken(string directory, string to)
    {
        foreach (var path in Directory.EnumerateFiles(directory, AdminToken.FileName + "*"))
        {
            var copy = Path.Combine(to, Path.GetFileName(path));
            File.Copy(path, copy, overwrite: true);
            Protect(copy);
            Sync(copy);
        }
    }

    private static void Protect(string path)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, OwnerOnly);
    }

    private static void Sync(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        DurableFile.SyncData(file.SafeFileHandle);
    }
}
