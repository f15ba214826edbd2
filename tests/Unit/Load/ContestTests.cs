using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Contest;
using ZapierTriggers.Load.Core.Reporting;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>Rounds in turn, and the table of them.</summary>
public sealed class ContestTests
{
    [Fact]
    public async Task All_take_part_in_each_round_and_each_begins_one()
    {
        var order = new List<string>();
        IContestant[] contestants = [new Scripted("a", order), new Scripted("b", order), new Scripted("c", order)];
        var entries = await ContestRounds.StartAsync(contestants, Source, _ => { }, TestContext.Current.CancellationToken);
        var rounds = 0;
        await ContestRounds.RunAsync(entries, 3, 4, TimeSpan.FromSeconds(1), _ => rounds++, TestContext.Current.CancellationToken);
        // The first are to warm up.
        Assert.Equal("abc abc bca cab", string.Join(' ', order.Chunk(3).Select(names => string.Concat(names))));
        Assert.Equal(3, rounds);
        Assert.All(entries, entry => Assert.Equal(3, entry.Rounds.Count));
    }

    [Fact]
    public async Task What_is_not_installed_is_skipped_and_told()
    {
        var order = new List<string>();
        var told = new List<string>();
        IContestant[] contestants = [new Scripted("a", order), new Scripted("redis", order, "redis-server is not installed")];
        var entries = await ContestRounds.StartAsync(contestants, Source, told.Add, TestContext.Current.CancellationToken);
        Assert.Equal(["a"], entries.Select(entry => entry.Contestant.Name));
        Assert.Equal(["skipped: redis-server is not installed"], told);
    }

    [Fact]
    public void A_row_has_medians_and_ratios_within_rounds()
    {
        var yardstick = new ContestEntry(new Scripted("bare", []), [Round(1000, 1), Round(2000, 1), Round(4000, 1)]);
        var entry = new ContestEntry(new Scripted("ours", []), [Round(500, 2), Round(1800, 4), Round(2000, 8)]);
        var row = ContestRow.Of(entry, yardstick);
        Assert.Equal((1800, 0.5, 0.5, 0.9), (row.Rate, row.Ratio.Median, row.Ratio.Lowest, row.Ratio.Highest));
        Assert.Equal(250, row.DrainedRate);
        Assert.Equal((1, 9, 3), (row.P50, row.P99, row.Refused));
        var lines = ContestTable.Lines([row]).ToList();
        Assert.Contains("0.500 (0.500 to 0.900)", lines[1]);
        Assert.Contains("VOID: 3 refused", lines[1]);
    }

    [Fact]
    public void A_program_that_is_nowhere_is_named() =>
        Assert.Equal(
            "no-such-program is not installed", Assert.Throws<MissingProgramException>(() => Programs.Find("no-such-program")).Message);

    private static EventSource Source() => new(EventTemplates.Generate(100, 1), DedupMode.None, 1, "contest1");

    private static ContestRound Round(long count, double drainedAfter) =>
        new(count, Refused: 1, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(drainedAfter), P50: 1, P99: 9);

    private sealed class Scripted(string name, List<string> order, string? missing = null) : IContestant
    {
        public string Name => name;

        public string Survives => "nothing";

        public Task StartAsync(EventSource source, CancellationToken stop) =>
            missing is null ? Task.CompletedTask : throw new MissingProgramException(missing);

        public Task<ContestRound> RoundAsync(int connections, TimeSpan duration, CancellationToken stop)
        {
            order.Add(name);
            return Task.FromResult(Round(1000, 1));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
