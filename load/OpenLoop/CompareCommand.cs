using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>
/// <c>compare</c>: closed rounds against two servers, both warmed up, in turn and with the order swapped from pair to pair
/// (A B, B A, A B …), so that a machine that drifts touches both alike. Only ratios within a pair are to be believed.
/// </summary>
internal static class CompareCommand
{
    /// <summary>Runs the command.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var isShort = arguments.Flag("--short");
        var (first, second) = (arguments.Url("--url"), arguments.Url("--against"));
        var pairs = arguments.Count("--pairs", isShort ? 2 : 7);
        var duration = TimeSpan.FromSeconds(arguments.Number("--seconds", isShort ? 1 : 5));
        var warmUp = TimeSpan.FromSeconds(isShort ? 1 : 2);
        var connectionCounts = arguments.Counts("--connections", isShort ? [16] : [64, 1]);
        var secondKey = arguments.Text("--against-key");
        var options = new CommonOptions(arguments);
        arguments.RefuseOthers();

        using var a = await Side.OpenAsync(first, options.Key, options, isAudited: isShort, stop);
        using var b = await Side.OpenAsync(second, secondKey, options, isAudited: isShort, stop);
        Console.WriteLine($"A = {first}   B = {second}   {pairs} pairs of {duration.TotalSeconds:N0} s rounds");
        Console.WriteLine(a.Description);
        var valid = true;
        foreach (var connections in connectionCounts)
        {
            Console.WriteLine($"{connections} connections");
            Console.WriteLine("  pair         A/s        B/s    A/B  |  p50 A   p50 B    A/B  |  p99 A   p99 B    A/B   (ms)");
            await a.RoundAsync(connections, warmUp, stop);
            await b.RoundAsync(connections, warmUp, stop);
            valid &= await ComparePairsAsync(a, b, pairs, connections, duration, stop);
        }

        var audit = Math.Max(await a.AuditAsync(stop), await b.AuditAsync(stop));
        return valid ? audit : ExitCode.Verdict;
    }

    private static async Task<bool> ComparePairsAsync(Side a, Side b, int pairs, int connections, TimeSpan duration, CancellationToken stop)
    {
        var ratios = new List<(double Rate, double Middle, double Tail)>();
        var valid = true;
        for (var pair = 0; pair < pairs && !stop.IsCancellationRequested; pair++)
        {
            var aFirst = pair % 2 == 0;
            var early = await (aFirst ? a : b).RoundAsync(connections, duration, stop);
            var late = await (aFirst ? b : a).RoundAsync(connections, duration, stop);
            var (ofA, ofB) = aFirst ? (early, late) : (late, early);
            valid &= PrintUnaccepted("A", ofA) & PrintUnaccepted("B", ofB);
            ratios.Add((ofA.Rate / ofB.Rate, Of(ofA, 50) / Of(ofB, 50), Of(ofA, 99) / Of(ofB, 99)));
            var (rate, middle, tail) = ratios[^1];
            Console.WriteLine($"  {pair + 1,2} {(aFirst ? "A B" : "B A")}  {ofA.Rate,9:N0}  {ofB.Rate,9:N0}  {rate:F3}  | "
                + $"{Of(ofA, 50),7:F3} {Of(ofB, 50),7:F3}  {middle:F3}  | {Of(ofA, 99),7:F3} {Of(ofB, 99),7:F3}  {tail:F3}");
        }

        if (ratios.Count == 0) return false;
        Console.WriteLine($"  rate A/B median {RatioSummary.Of(ratios.Select(r => r.Rate)).Text()}");
        Console.WriteLine($"  p50  A/B median {RatioSummary.Of(ratios.Select(r => r.Middle)).Text()}");
        Console.WriteLine($"  p99  A/B median {RatioSummary.Of(ratios.Select(r => r.Tail)).Text()}");
        return valid;
    }

    // A refusal is cheaper than an acceptance: a round with some compares something else.
    private static bool PrintUnaccepted(string side, LoadResult result)
    {
        if (result.Accepted == result.Answered && result.Unanswered == 0 && result.Answered > 0) return true;
        Console.WriteLine($"  VOID: {side} did not accept everything: {Report.Statuses(result)}");
        return false;
    }

    private static double Of(LoadResult result, double percentile) => LoadResult.Milliseconds(result.Latency, percentile);
}
