using System.Globalization;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Storage;

namespace ZapierTriggers.Server.Cli;

/// <summary>
/// <c>verify</c>, while the server is stopped: holds journal, store and ledger against each other and changes nothing. Settings are given
/// as for the server. Exit code 0: all adds up; 3: something does not.
/// </summary>
internal static class VerifyCommand
{
    /// <summary>The command's name, the first argument.</summary>
    public const string Name = "verify";

    private const int ProgressEvery = 100_000;
    private const int SomethingDiffers = 3;
    private const int MostListed = 100;

    /// <summary>
    /// Runs it. Throws what <see cref="Operations.StartupFailure"/> explains: a data directory in use, a database that is away, …
    /// </summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, CancellationToken cancellationToken)
    {
        var settings = ReplayJournalCommand.Load(args);
        ReplayJournalCommand.RequireData(settings.Storage.DataDirectory);
        using var directory = DataDirectory.Open(settings.Storage.DataDirectory, TimeProvider.System);
        await using var stores = await StoreSet.OpenAsync(settings.Storage, TimeProvider.System, cancellationToken);
        using var journal = new RetainedJournal(directory);
        var check = new JournalCheck(journal, directory, stores.Events, stores.Replays, stores.Data.Ledger);
        Begin(output, directory, journal);
        var told = 0L;
        var report = await check.RunAsync(
            looked =>
            {
                if (looked / ProgressEvery == told / ProgressEvery) return;
                told = looked;
                output.WriteLine(Text($"            {looked} events looked at"));
            },
            cancellationToken);
        var usage = await stores.Data.Usage.FindDifferencesAsync(
            UsageTime.DayOf(TimeProvider.System.GetUtcNow()) - Retention.UsageDays + 1, MostListed, cancellationToken);
        Write(output, report, usage);
        return report.Passed ? 0 : SomethingDiffers;
    }

    private static void Begin(TextWriter output, DataDirectory directory, RetainedJournal journal) =>
        output.WriteLine(Text($"journal     {directory.JournalPath}: {journal.Segments} segments"));

    /// <summary>Usage is a remark alone: a server of an older version counts none, during a rolling upgrade.</summary>
    private static void Write(TextWriter output, CheckReport report, IReadOnlyList<UsageDifference> usage)
    {
        output.WriteLine("checked                                       events  differing");
        Row("journal, passed by the checkpoint: stored", report.Stored, report.Missing);
        Row("journal, behind it: the next start stores", report.Waiting, 0);
        Row("journal, damaged: cannot be told", report.Damaged, 0);
        Row("journal, in the order of their ids", report.Journaled, report.OutOfOrder);
        output.WriteLine(Text($"{"ledger, days that do not add up",-41} {"",10} {report.Differences.Count,10}"));
        output.WriteLine(Text($"{"usage, days that are not the ledger's",-41} {"",10} {usage.Count,10}"));
        foreach (var (no, id) in report.Listed) output.WriteLine(Text($"missing     {id}, organization_no {no}"));
        foreach (var one in report.Differences)
        {
            var day = DateOnly.FromDateTime(DateTime.UnixEpoch).AddDays(one.Day);
            var sums = Text($"accepted {one.Accepted}, there {one.Present}, removed {one.Removed}");
            output.WriteLine(Text($"ledger      {day:yyyy-MM-dd}, organization_no {one.OrganizationNo}: {sums}"));
        }

        foreach (var one in usage)
        {
            var day = UsageTime.DateOf(one.Day);
            output.WriteLine(
                Text($"remark      usage of {day:yyyy-MM-dd}, organization_no {one.OrganizationNo}: {one.Usage}, by the ledger {one.Ledger}"));
        }

        foreach (var (table, rows) in report.Orphans)
            output.WriteLine(Text($"remark      {rows} rows of {table} are of events that are not there; retention removes them"));
        output.WriteLine(report.Passed ? "All adds up." : "Something does not add up: see docs/operations.md.");

        void Row(string what, long events, long differing) => output.WriteLine(Text($"{what,-41} {events,10} {differing,10}"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
