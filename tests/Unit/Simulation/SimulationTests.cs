using System.Globalization;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>
/// Journal, sequencer, dedup window and store writer on a simulated machine, killed at every step of many scenarios, with and without the
/// power cut, under faults of disk and store. A failing run names its seed and step; <c>ZAP_SIMULATION=seed:step</c> repeats it, and
/// <c>ZAP_SIMULATION_RUNS</c> (default 10,000) says how many are made, <c>ZAP_SIMULATION_SEED</c> with which seeds.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static readonly int Runs = Number("ZAP_SIMULATION_RUNS", 10_000);
    private static readonly int FirstSeed = Number("ZAP_SIMULATION_SEED", 1);

    [Fact]
    public void A_crash_at_any_step_breaks_no_promise()
    {
        if (Environment.GetEnvironmentVariable("ZAP_SIMULATION") is { Length: > 0 } one)
        {
            var parts = one.Split(':');
            var again = Run(
                int.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture), true, out _, out _);
            Assert.True(again is null, again);
            return;
        }

        var (seed, runs, requests) = (FirstSeed - 1, 0, 0L);
        string? violation = null;
        Parallel.For(0, Environment.ProcessorCount, _ =>
        {
            while (Volatile.Read(ref runs) < Runs && Volatile.Read(ref violation) is null)
            {
                var mine = Interlocked.Increment(ref seed);
                var steps = 0L;
                for (var step = 0L; step <= steps && Volatile.Read(ref violation) is null; step++)
                {
                    var broken = Run(mine, step, false, out var firstLife, out var sent);
                    if (step == 0) steps = firstLife;
                    if (broken is not null) Interlocked.CompareExchange(ref violation, broken, null);
                    Interlocked.Increment(ref runs);
                    Interlocked.Add(ref requests, sent);
                }
            }
        });
        output.WriteLine($"{runs:n0} runs of {seed - FirstSeed + 1} scenarios, {requests:n0} requests");
        Assert.True(violation is null, violation);
        Assert.True(requests > runs, "the runs have sent too little");
    }

    private static string? Run(int seed, long step, bool isVerbose, out long firstLifeSteps, out int requests)
    {
        using var simulation = new SimulatedRun(seed, step, isVerbose);
        string? violation;
        try
        {
            violation = simulation.Run();
        }
        catch (Exception error)
        {
            violation = error.ToString();
        }

        (firstLifeSteps, requests) = (simulation.FirstLifeSteps, simulation.Requests);
        return violation is null ? null : $"{seed}:{step}: {violation}\n{simulation.Describe()}";
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
