using System.Diagnostics;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Figures;

namespace ZapierTriggers.Load.Core.Contest;

/// <summary>A server of our contract: ours in one of its modes, or the bare one.</summary>
/// <param name="name">What the table calls it.</param>
/// <param name="survives">Which failure a 202 survives.</param>
/// <param name="command">Given the process to be, its program and arguments.</param>
/// <param name="settings">Environment variables, given the same.</param>
/// <param name="hasKeys">Whether it has organizations and keys.</param>
/// <param name="hold">Keeps it from storing while a round's events come, given the embedded database's file; null lets it store meanwhile.</param>
internal sealed class HttpContestant(
    string name,
    string survives,
    Func<TemporaryProcess, (string Program, string[] Arguments)> command,
    Func<TemporaryProcess, Dictionary<string, string>> settings,
    bool hasKeys,
    Func<string, CancellationToken, Task<IAsyncDisposable>>? hold = null) : IContestant
{
    private const string AdminToken = "load-compare-admin-token";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryProcess _process = new();
    private readonly RequestNumbers _numbers = new();
    private EventSource? _source;
    private Account? _account;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public string Survives => survives;

    private Uri Url => new($"http://127.0.0.1:{_process.Port}");

    /// <summary>Our server in a mode of <c>Ingest:AckWhen</c>.</summary>
    /// <param name="mode">journaled, synced or stored.</param>
    /// <param name="survives">Which failure a 202 survives.</param>
    /// <param name="program">The built server; null searches it.</param>
    /// <param name="database">A connection string; null is SQLite in the data directory.</param>
    /// <param name="hold">As for the constructor.</param>
    public static HttpContestant Server(
        string mode,
        string survives,
        string? program,
        string? database,
        Func<string, CancellationToken, Task<IAsyncDisposable>>? hold) => new(
        $"this server, {mode}",
        survives,
        _ => (program ?? Programs.FindServer(), []),
        process =>
        {
            var settings = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["HOST"] = "127.0.0.1",
                ["PORT"] = process.Port,
                ["ADMIN_TOKEN"] = AdminToken,
                ["LOG_LEVEL"] = "warning",
                ["Storage__DataDirectory"] = Path.Combine(process.Directory, "data"),
                ["Ingest__AckWhen"] = mode,
            };
            if (database is not null) settings["DATABASE_URL"] = database;
            return settings;
        },
        hasKeys: true,
        hold);

    /// <summary>The yardstick, in a process of its own.</summary>
    /// <param name="command">Given the port, the program that hosts it and its arguments.</param>
    public static HttpContestant Bare(Func<string, (string Program, string[] Arguments)> command) =>
        new("bare Kestrel", "nothing: it reads and answers", process => command(process.Port), _ => [], hasKeys: false);

    /// <inheritdoc/>
    public async Task StartAsync(EventSource source, CancellationToken stop)
    {
        _source = source;
        var (program, arguments) = command(_process);
        await _process.StartAsync(program, arguments, settings(_process), stop);
        await UntilAsync(IsReadyAsync, stop);
        _account = hasKeys ? await Account.OpenAsync(Url, key: null, AdminToken, "load-compare") : Account.WithoutKeys(Url);
    }

    /// <inheritdoc/>
    public async Task<ContestRound> RoundAsync(int connections, TimeSpan duration, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        var load = new LoadSettings { Server = Url, ApiKey = _account!.Key, Source = _source!, Connections = connections };
        using var run = new LoadRun(load, _ => SendPlan.Closed(duration), _numbers);
        LoadResult result;
        await using (hold is null ? null : await hold(Path.Combine(_process.Directory, "data", "events.db"), stop)) result = await run.RunAsync(stop);
        var probe = new ServerProbe(_account.Client);
        await UntilAsync(async () => await probe.ReadBacklogAsync(stop) is null or 0, stop);
        return new ContestRound(
            result.Accepted,
            result.Answered - result.Accepted + result.Unanswered,
            result.Elapsed,
            Stopwatch.GetElapsedTime(start),
            LoadResult.Milliseconds(result.Latency, 50),
            LoadResult.Milliseconds(result.Latency, 99));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _account?.Dispose();
        await _process.DisposeAsync();
    }

    private async Task<bool> IsReadyAsync()
    {
        using var client = new HttpClient { BaseAddress = Url };
        using var answer = await client.GetAsync("/health/ready");
        return answer.IsSuccessStatusCode;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, CancellationToken stop)
    {
        for (var start = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(Look, stop))
        {
            if (Stopwatch.GetElapsedTime(start) > Patience)
                throw new TimeoutException("A server was not ready, or had not stored everything, within two minutes.");
        }
    }
}
