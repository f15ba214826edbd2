using System.Diagnostics;
using System.Globalization;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Contest;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Reporting;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Compare;

/// <summary>
/// <c>start</c>: the time from the process's start to ready, and its memory, with an empty data directory; then with a journal full of
/// events that are not stored, after a SIGKILL: to ready, and until all are stored. Each round with a data directory of its own.
/// </summary>
internal sealed class StartCommand
{
    private const double EmptyBarSeconds = 1.5;
    private const double FullBarSeconds = 10;
    private const long IdleBarBytes = 150 << 20;
    private const int FillConnections = 4;
    private const int PayloadBytes = 400; // 600 with what is around it: a million stay below Journal:MaxBytes.
    private const int ItemsPerCall = 1000;

    private readonly List<double> _empty = [];
    private readonly List<double> _bytes = [];
    private readonly List<double> _ready = [];
    private readonly List<double> _stored = [];
    private readonly string? _program;
    private readonly TimeSpan _idle;
    private readonly int _events;

    private StartCommand(string? program, TimeSpan idle, int events) => (_program, _idle, _events) = (program, idle, events);

    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var isShort = arguments.Flag("--short");
        var rounds = arguments.Count("--rounds", isShort ? 1 : 5);
        var events = arguments.Count("--events", isShort ? 20_000 : 1_000_000);
        var idle = TimeSpan.FromSeconds(arguments.Number("--idle", isShort ? 1 : 10));
        var usesPostgres = arguments.Flag("--postgres");
        var command = new StartCommand(arguments.Text("--server"), idle, events);
        var options = new CommonOptions(arguments, size: PayloadBytes);
        arguments.RefuseOthers();

        Console.WriteLine($"machine   {Machine.Describe()}");
        Console.WriteLine(options.Describe(options.CreateSource()));
        Console.WriteLine($"plan      {rounds} rounds on {(usesPostgres ? "PostgreSQL" : "SQLite")}, {events:N0} events not stored");
        Console.WriteLine("          ready, empty   idle: resident   own   ready, full   all stored");
        var worst = 0;
        for (var round = 0; round < rounds; round++)
        {
            await using var postgres = usesPostgres ? await TemporaryPostgres.StartAsync(stop) : null;
            await using var server = new TemporaryServer(command._program, postgres?.ConnectionString);
            worst = Math.Max(worst, await command.RoundAsync(server, postgres, options, stop));
        }

        Console.WriteLine(AuditReport.VerdictLine(worst == 0));
        return command.TellBars(isShort) ? worst : 2;
    }

    private async Task<int> RoundAsync(TemporaryServer server, TemporaryPostgres? postgres, CommonOptions options, CancellationToken stop)
    {
        var empty = await server.StartAsync(stop);
        await Task.Delay(_idle, stop);
        var (resident, own) = (server.ResidentBytes, server.OwnBytes);
        using var account = await server.OpenAccountAsync("load-start");
        var (source, ledger) = (options.CreateSource(), new Ledger());
        await using (
            postgres is null ? await StoreHold.OfAsync(server.SqlitePath, stop) : await StoreHold.OfAsync(postgres, stop))
        {
            var settings = options.CreateSettings(server.Url, account.Key, source, FillConnections);
            var figures = await new BatchRun(settings, ItemsPerCall, ledger).RunAsync(_events, stop);
            if (figures.Items[202] != _events) throw new IOException($"Only {figures.Items[202]:N0} of {_events:N0} events were accepted.");
            await TemporaryServer.CheckHeldAsync(account, _events, stop);
            await server.KillAsync();
        }

        var start = Stopwatch.GetTimestamp();
        var ready = await server.StartAsync(stop);
        await TemporaryServer.UntilStoredAsync(account, stop);
        var stored = Stopwatch.GetElapsedTime(start);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"          {empty.TotalSeconds,10:F2} s {resident >> 20,13} MiB {own >> 20,3} MiB ")
            + string.Create(CultureInfo.InvariantCulture, $"{ready.TotalSeconds,9:F2} s {stored.TotalSeconds,10:F2} s"));
        Note(empty, resident, ready, stored);
        return await AuditAsync(source, ledger, account, stop);
    }

    private void Note(TimeSpan empty, long resident, TimeSpan ready, TimeSpan stored)
    {
        _empty.Add(empty.TotalSeconds);
        _bytes.Add(resident);
        _ready.Add(ready.TotalSeconds);
        _stored.Add(stored.TotalSeconds);
    }

    private static async Task<int> AuditAsync(EventSource source, Ledger ledger, Account account, CancellationToken stop)
    {
        var report = await Audit.RunAsync(source, ledger, new InboxReader(account.Client).ReadAsync(stop));
        foreach (var line in report.Lines().SkipLast(1)) Console.WriteLine(line);
        return report.ExitCode;
    }

    private bool TellBars(bool isShort)
    {
        var (empty, bytes, ready) = (RatioSummary.Of(_empty), RatioSummary.Of(_bytes), RatioSummary.Of(_ready));
        Console.WriteLine(
            $"stored    {RatioSummary.Of(_stored).Text(decimals: 2)} s from the start of the process until all {_events:N0} were stored");
        return Bar.Tell("empty", $"ready after {empty.Text(decimals: 2)} s", empty.Median <= EmptyBarSeconds, "1.5 s", !isShort)
            & Bar.Tell("idle", $"{bytes.Text(2, 1 << 20)} MiB resident", bytes.Median is > 0 and <= IdleBarBytes, "150 MiB", !isShort)
            & Bar.Tell("full", $"ready after {ready.Text(decimals: 2)} s", ready.Median <= FullBarSeconds, "10 s", !isShort);
    }
}
