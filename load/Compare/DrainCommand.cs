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
/// <c>drain</c>: how fast the journal gets into PostgreSQL, without HTTP, beside a bare COPY of the same rows, in turn. In each round the
/// journal is filled while the store is held; the bare COPY takes the rows of the round before.
/// </summary>
internal sealed class DrainCommand
{
    private const double RatioBar = 0.8;
    private const int FillConnections = 4;
    private const int PayloadBytes = 400; // 600 with what is around it: a million stay below Journal:MaxBytes.
    private const int ItemsPerCall = 1000;
    private static readonly TimeSpan Settles = TimeSpan.FromMilliseconds(500);

    private readonly TemporaryPostgres _postgres;
    private readonly Account _account;
    private readonly LoadSettings _settings;
    private readonly Ledger _ledger = new();
    private readonly RequestNumbers _numbers = new();
    private readonly BareCopy _bare;
    private readonly int _events;

    private DrainCommand(TemporaryPostgres postgres, Account account, LoadSettings settings, int events)
    {
        (_postgres, _account, _settings, _events) = (postgres, account, settings, events);
        _bare = new BareCopy(postgres);
    }

    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var isShort = arguments.Flag("--short");
        var rounds = arguments.Count("--rounds", isShort ? 2 : 7);
        var events = arguments.Count("--events", isShort ? 5_000 : 200_000);
        var server = arguments.Text("--server");
        var options = new CommonOptions(arguments, size: PayloadBytes);
        arguments.RefuseOthers();

        await using var postgres = await TemporaryPostgres.StartAsync(stop);
        await using var ours = new TemporaryServer(server, postgres.ConnectionString);
        await ours.StartAsync(stop);
        using var account = await ours.OpenAccountAsync("load-drain");
        var source = options.CreateSource();
        Console.WriteLine($"machine   {Machine.Describe()}, generator, server and PostgreSQL on it");
        Console.WriteLine(options.Describe(source));
        Console.WriteLine($"plan      {rounds} rounds of {events:N0} events, after two to warm up");
        var command = new DrainCommand(postgres, account, options.CreateSettings(ours.Url, account.Key, source, FillConnections), events);
        var good = await command.RoundsAsync(rounds, isShort, stop);
        return Math.Max(good ? 0 : 2, await command.AuditAsync(source, stop));
    }

    private async Task<bool> RoundsAsync(int rounds, bool isShort, CancellationToken stop)
    {
        await _bare.PrepareAsync(stop);
        Console.WriteLine("          journal/s      COPY/s    ratio");
        var (ratios, before) = (new List<double>(), (Stream: Array.Empty<byte>(), Rows: 0L));
        for (var round = 0; round <= rounds + 1 && !stop.IsCancellationRequested; round++)
        {
            await using var hold = await StoreHold.OfAsync(_postgres, stop);
            await FillAsync(stop);
            var bareFirst = round % 2 == 1;
            var copy = bareFirst ? await CopyAsync(before, stop) : default;
            var drain = await DrainAsync(hold, stop);
            if (!bareFirst && before.Rows > 0) copy = await CopyAsync(before, stop);
            var copied = before.Rows;
            before = await _bare.ReadNewAsync(stop);
            if (round <= 1) continue; // in round 0 there was nothing to copy yet, so in round 1 the copy was cold
            var (ours, theirs) = (before.Rows / drain.TotalSeconds, copied / copy.TotalSeconds);
            ratios.Add(ours / theirs);
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"  {round - 1,4}  {ours,11:N0} {theirs,11:N0}    {ours / theirs:F3}"));
        }

        if (ratios.Count == 0) return false;
        var summary = RatioSummary.Of(ratios);
        return Bar.Tell("ratio", $"median {summary.Text()}", summary.Median >= RatioBar, "at least 0.8", isJudged: !isShort);
    }

    /// <summary>Fills the journal and waits until it is on disk, so that the server then does nothing but wait for the store.</summary>
    private async Task FillAsync(CancellationToken stop)
    {
        var figures = await new BatchRun(_settings, ItemsPerCall, _ledger, _numbers).RunAsync(_events, stop);
        if (figures.Items[202] != _events) throw new IOException($"Only {figures.Items[202]:N0} of {_events:N0} events were accepted.");
        await Task.Delay(Settles, stop); // Ten times Journal:FlushInterval.
        await TemporaryServer.CheckHeldAsync(_account, _events, stop);
    }

    /// <summary>Lets go of the store and waits until it has all.</summary>
    private async Task<TimeSpan> DrainAsync(StoreHold hold, CancellationToken stop)
    {
        await _postgres.RunAsync("CHECKPOINT", stop); // Neither side pays for what the other has left to write.
        var start = Stopwatch.GetTimestamp();
        await hold.ReleaseAsync();
        await TemporaryServer.UntilStoredAsync(_account, stop);
        return Stopwatch.GetElapsedTime(start);
    }

    private async Task<TimeSpan> CopyAsync((byte[] Stream, long Rows) rows, CancellationToken stop)
    {
        await _postgres.RunAsync("CHECKPOINT", stop);
        return await _bare.WriteAsync(rows.Stream, rows.Rows, stop);
    }

    private async Task<int> AuditAsync(EventSource source, CancellationToken stop)
    {
        var (different, rows) = await _bare.CompareAsync(stop);
        var isSame = different == 0 && rows == _bare.Copied;
        Console.WriteLine($"copies    {rows:N0} rows of {_bare.Copied:N0}, {different:N0} of them not the server's");
        var report = await Audit.RunAsync(source, _ledger, new InboxReader(_account.Client).ReadAsync(stop));
        foreach (var line in report.Lines()) Console.WriteLine(line);
        return isSame ? report.ExitCode : 2;
    }
}
