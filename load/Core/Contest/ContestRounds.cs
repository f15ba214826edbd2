using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.Core.Contest;

/// <summary>A contestant and its rounds, by number.</summary>
internal sealed record ContestEntry(IContestant Contestant, List<ContestRound> Rounds);

/// <summary>What the table says of a contestant.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Rate">Events acknowledged a second, the median.</param>
/// <param name="Ratio">The same as a share of the yardstick's, round by round.</param>
/// <param name="DrainedRate">Events a second until all were where readers find them, the median.</param>
/// <param name="P50">The middle latency, the median over the rounds, in milliseconds.</param>
/// <param name="P99">The same of the 99th percentile.</param>
/// <param name="Refused">Events refused, in all rounds.</param>
/// <param name="Survives">Which failure an acknowledgement survives.</param>
internal sealed record ContestRow(
    string Name, double Rate, RatioSummary Ratio, double DrainedRate, double P50, double P99, long Refused, string Survives)
{
    /// <summary>Sums up the rounds of an entry beside those of the yardstick.</summary>
    public static ContestRow Of(ContestEntry entry, ContestEntry yardstick) => new(
        entry.Contestant.Name,
        Median(entry.Rounds, round => round.Rate),
        RatioSummary.Of(entry.Rounds.Zip(yardstick.Rounds, (own, other) => own.Rate / other.Rate)),
        Median(entry.Rounds, round => round.DrainedRate),
        Median(entry.Rounds, round => round.P50),
        Median(entry.Rounds, round => round.P99),
        entry.Rounds.Sum(round => round.Refused),
        entry.Contestant.Survives);

    private static double Median(List<ContestRound> rounds, Func<ContestRound, double> read) => RatioSummary.Of(rounds.Select(read)).Median;
}

/// <summary>
/// Rounds of several contestants in turn: in each round all of them, and each round begins with another one, so that a machine that drifts
/// touches all alike. Only ratios within a round are to be believed.
/// </summary>
internal static class ContestRounds
{
    /// <summary>Starts all that are installed. The others are told by name and reason.</summary>
    public static async Task<List<ContestEntry>> StartAsync(
        IReadOnlyList<IContestant> contestants, Func<EventSource> sourceOf, Action<string> onSkipped, CancellationToken stop)
    {
        var entries = new List<ContestEntry>();
        var told = new HashSet<string>(StringComparer.Ordinal); // One program may be two contestants.
        foreach (var contestant in contestants)
        {
            try
            {
                await contestant.StartAsync(sourceOf(), stop);
                entries.Add(new ContestEntry(contestant, []));
            }
            catch (MissingProgramException missing)
            {
                if (told.Add(missing.Message)) onSkipped($"skipped: {missing.Message}");
            }
        }

        return entries;
    }

    /// <summary>Runs a round of each to warm up, then the rounds.</summary>
    public static async Task RunAsync(
        IReadOnlyList<ContestEntry> entries, int rounds, int connections, TimeSpan duration, Action<int> onRound, CancellationToken stop)
    {
        foreach (var entry in entries) await entry.Contestant.RoundAsync(connections, duration, stop);
        for (var round = 0; round < rounds && !stop.IsCancellationRequested; round++)
        {
            for (var turn = 0; turn < entries.Count; turn++)
            {
                var entry = entries[(round + turn) % entries.Count];
                entry.Rounds.Add(await entry.Contestant.RoundAsync(connections, duration, stop));
            }

            onRound(round);
        }
    }
}
