using System.Diagnostics;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Figures;

namespace ZapierTriggers.Load.Core.Contest;

/// <summary>Our built server on temporary files, which may be killed and started again on them.</summary>
/// <param name="program">The built server; null searches it.</param>
/// <param name="database">A connection string; null is SQLite in the data directory.</param>
internal sealed class TemporaryServer(string? program, string? database) : IAsyncDisposable
{
    private const string AdminToken = "load-compare-admin-token";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly TemporaryProcess _process = new();
    private readonly string _program = program ?? Programs.FindServer();

    /// <summary>Where it answers.</summary>
    public Uri Url => new($"http://127.0.0.1:{_process.Port}");

    /// <summary>The embedded database's file.</summary>
    public string SqlitePath => Path.Combine(_process.Directory, "data", "events.db");

    /// <summary>Resident memory of its own, bytes, mapped files not counted; 0 where the system has no <c>/proc</c>.</summary>
    public long OwnBytes => ProcessMemory.Read(_process.Id).Own;

    /// <summary>All of its resident memory, bytes; 0 where the system has no <c>/proc</c>.</summary>
    public long ResidentBytes => ProcessMemory.Read(_process.Id).Resident;

    /// <summary>Starts it; returns the time from there to the first 200 of <c>/health/ready</c>.</summary>
    /// <exception cref="IOException">It ended, or was not ready within five minutes.</exception>
    public async Task<TimeSpan> StartAsync(CancellationToken stop)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["HOST"] = "127.0.0.1",
            ["PORT"] = _process.Port,
            ["ADMIN_TOKEN"] = AdminToken,
            ["LOG_LEVEL"] = "warning",
            ["Storage__DataDirectory"] = Path.Combine(_process.Directory, "data"),
        };
        if (database is not null) settings["DATABASE_URL"] = database;
        using var client = new HttpClient { BaseAddress = Url };
        var start = Stopwatch.GetTimestamp();
        _process.Start(_program, [], settings);
        while (!await IsReadyAsync(client, stop))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(start) > Patience) throw _process.NotStarted(_program);
            await Task.Delay(Look, stop);
        }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Ends it with SIGKILL.</summary>
    public Task KillAsync() => _process.KillAsync();

    /// <summary>Makes an organization without a rate limit.</summary>
    public Task<Account> OpenAccountAsync(string name) => Account.OpenAsync(Url, key: null, AdminToken, name);

    /// <summary>Waits until everything accepted is stored; returns how long that took.</summary>
    /// <exception cref="TimeoutException">It took over five minutes.</exception>
    public static async Task<TimeSpan> UntilStoredAsync(Account account, CancellationToken stop)
    {
        var probe = new ServerProbe(account.Client);
        var start = Stopwatch.GetTimestamp();
        for (; await probe.ReadBacklogAsync(stop) is not 0; await Task.Delay(Look, stop))
        {
            if (Stopwatch.GetElapsedTime(start) > Patience) throw new TimeoutException("Not everything was stored within five minutes.");
        }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Makes sure that the store has taken nothing of what was accepted: a hold that does not hold makes any figure.</summary>
    /// <exception cref="IOException">It has.</exception>
    public static async Task CheckHeldAsync(Account account, long accepted, CancellationToken stop)
    {
        var backlog = await new ServerProbe(account.Client).ReadBacklogAsync(stop);
        if (backlog != accepted) throw new IOException($"The store was held, but of {accepted:N0} events {backlog:N0} wait for it.");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static async Task<bool> IsReadyAsync(HttpClient client, CancellationToken stop)
    {
        try
        {
            using var answer = await client.GetAsync("/health/ready", stop);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // It does not listen yet.
        }
    }
}
