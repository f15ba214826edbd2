using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Yardstick;

namespace ZapierTriggers.Load.Core.Knee;

/// <summary>
/// Shows that the latencies see a stall: a tenth of what is due falls into it, so the p99 from intended times must be most of its length,
/// where a closed loop has one slow request a connection among thousands of fast ones and sees nothing at p99.
/// </summary>
/// <param name="OpenP99">Milliseconds, from intended times at a constant rate.</param>
/// <param name="ClosedP99">Milliseconds, each connection sending again after its answer.</param>
internal sealed record StallTest(double OpenP99, double ClosedP99)
{
    private const double Rate = 200; // Few, so that a busy machine keeps it up; 200 of 2,000 are due in the stall.
    private const int Connections = 4;

    // The slowest tenth waited 0 to 1 s, evenly: the p99 of all is the p90 of these. Half of that leaves room for a busy machine's rate.
    private static double Bar => StallingServer.Stall.TotalMilliseconds / 2;

    /// <summary>Whether the open loop saw the stall and the closed one did not.</summary>
    public bool Passed => OpenP99 >= Bar && ClosedP99 < Bar;

    /// <summary>Runs both loops for one period each, against a server of its own that has one stall in it.</summary>
    public static async Task<StallTest> RunAsync(CancellationToken stop) => new(
        await P99Async(_ => SendPlan.Constant(Rate, StallingServer.Period), stop),
        await P99Async(_ => SendPlan.Closed(StallingServer.Period), stop));

    private static async Task<double> P99Async(Func<int, SendPlan> planOf, CancellationToken stop)
    {
        await using var server = await StallingServer.StartAsync();
        var source = new EventSource(EventTemplates.Generate(400, 1), DedupMode.None, 1, "stall001");
        var settings = new LoadSettings { Server = new Uri(server.Urls.First()), Source = source, Connections = Connections };
        using var run = new LoadRun(settings, planOf, new RequestNumbers());
        return LoadResult.Milliseconds((await run.RunAsync(stop)).Latency, 99);
    }
}
