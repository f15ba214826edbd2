using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>One run: drivers on threads of their own, all counting from one start.</summary>
internal sealed class LoadRun : IDisposable
{
    private readonly Driver[] _drivers;
    private long _start;

    /// <summary>Creates a run.</summary>
    /// <param name="settings">What is sent where.</param>
    /// <param name="planOf">The plan of each of <see cref="LoadSettings.Threads"/> threads, given its index.</param>
    /// <param name="numbers">Numbers the requests; runs that share it share one sequence of contents.</param>
    /// <param name="ledger">Where to note each request, or null.</param>
    public LoadRun(LoadSettings settings, Func<int, SendPlan> planOf, RequestNumbers numbers, IRequestLedger? ledger = null)
    {
        var server = Resolve(settings.Server);
        var threads = Math.Min(settings.Threads, settings.Connections);
        _drivers = new Driver[threads];
        for (var i = 0; i < threads; i++)
        {
            var connections = settings.Connections / threads + (i < settings.Connections % threads ? 1 : 0);
            _drivers[i] = new Driver(settings, server, planOf(i), connections, numbers, ledger);
        }
    }

    /// <summary>What has been counted up to now.</summary>
    public LoadResult Snapshot() =>
        LoadResult.Sum([.. _drivers.Select(driver => driver.Tally)], _start == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(_start));

    /// <summary>Runs to the end and returns the sums.</summary>
    public async Task<LoadResult> RunAsync(CancellationToken cancellationToken = default)
    {
        foreach (var driver in _drivers) driver.Connect();
        _start = Stopwatch.GetTimestamp();
        await Task.WhenAll(_drivers.Select(driver => Task.Factory.StartNew(
            () => driver.Run(_start, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        return Snapshot();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var driver in _drivers) driver.Dispose();
    }

    // Resolved once, IPv4 first: "localhost" must not cost a failed IPv6 connect for each connection.
    private static IPEndPoint Resolve(Uri server)
    {
        var addresses = Dns.GetHostAddresses(server.DnsSafeHost);
        var address = addresses.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
        return new IPEndPoint(address, server.Port);
    }
}
