using System.Globalization;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Storage;

namespace ZapierTriggers.Server.Cli;

/// <summary>
/// <c>replay-journal [--store]</c>, while the server is stopped: shows what the store lacks of what the journal still holds; with
/// <c>--store</c> stores it, in order and once, and sets the checkpoint. Settings are given as for the server. Exit code 0: nothing is
/// missing (any more); 3: something is.
/// </summary>
internal static class ReplayJournalCommand
{
    /// <summary>The command's name, the first argument.</summary>
    public const string Name = "replay-journal";

    private const string StoreOption = "--store";
    private const int SomethingIsMissing = 3;

    /// <summary>
    /// Runs it. Throws what <see cref="Operations.StartupFailure"/> explains: a data directory in use, a database that is away, …
    /// </summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, CancellationToken cancellationToken)
    {
        var mayStore = args.Contains(StoreOption, StringComparer.Ordinal);
        var settings = Load([.. args.Where(argument => argument != StoreOption)]);
        RequireData(settings.Storage.DataDirectory);
        using var directory = DataDirectory.Open(settings.Storage.DataDirectory, TimeProvider.System);
        await using var stores = await StoreSet.OpenAsync(settings.Storage, TimeProvider.System, cancellationToken);
        using var journal = new RetainedJournal(directory);
        var replay = new JournalReplay(
            journal,
            directory.JournalId,
            stores.Events,
            stores.Replays,
            (earliest, cancelled) => LaneRewind.RunAsync(stores.Deliveries, earliest, cancelled));
        if (mayStore) await stores.PrepareAsync(cancellationToken);
        var report = mayStore ? await replay.StoreAsync(cancellationToken) : await replay.CompareAsync(cancellationToken);
        Write(output, directory, journal, report, mayStore);
        return report.Missing == report.Stored + report.SetAside ? 0 : SomethingIsMissing;
    }

    /// <summary>The settings that the server would have.</summary>
    internal static ServerSettings Load(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        return ServerSettings.Load(builder.Configuration, builder.Environment.IsDevelopment());
    }

    /// <summary>A mistyped path must not become a new, empty data directory.</summary>
    internal static void RequireData(string path)
    {
        if (Directory.Exists(Path.Combine(path, "journal"))) return;
        throw new StartupException(
            $"{Path.GetFullPath(path)} is no data directory of a server; set Storage:DataDirectory to the server's.");
    }

    private static void Write(TextWriter output, DataDirectory directory, RetainedJournal journal, ReplayReport report, bool mayStore)
    {
        Line("journal", $"{directory.JournalPath}: {journal.Segments} segments, {report.Retained} events{Span(report)}");
        Line("checkpoint", report.Checkpoint == default ? "none: the store knows nothing of this journal" : Place(report.Checkpoint.Id));
        Line("stored", $"{report.Retained - report.Missing - report.Removed} of the journal's events");
        if (report.Removed > 0) Line("removed", $"{report.Removed} were erased by request, or have expired: they are not stored again");
        Line(
            "missing",
            $"{report.MissingBefore} before the checkpoint (no start stores them), "
            + $"{report.MissingBehind} behind it (the next start stores them)");
        foreach (var (organizationNo, id) in report.Listed) Line("", $"{Place(id)}, organization_no {organizationNo}");
        if (report.Missing > report.Listed.Count) Line("", $"and {report.Missing - report.Listed.Count} more");
        if (report.Damaged > 0) Line("damaged", $"{report.Damaged} events of the journal cannot be read");
        if (report.HasGap) Line("gap", "the journal lacks events behind the checkpoint; what follows is left to the next start");
        var done = $"stored {report.Stored}, set aside in quarantine {report.SetAside}, checkpoint {Place(report.MovedTo.Id)}";
        if (mayStore) Line("now", done);
        else if (report.Missing > 0) Line("", $"Nothing was changed. Add {StoreOption} to store what is missing.");

        void Line(string name, string text) => output.WriteLine($"{name,-11} {text}");
    }

    private static string Span(ReplayReport report) => report.Retained == 0 ? "" : $", from {Time(report.First)} to {Time(report.Last)}";

    private static string Place(EventId id) => id.IsZero ? "the beginning" : $"{id} ({Time(id)})";

    private static string Time(EventId id) => id.AcceptedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
