using System.Diagnostics;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>Calls made one after another and timed; a line for each kind.</summary>
/// <param name="times">How often each kind is made.</param>
/// <param name="isJudged">Whether they are held against the bar.</param>
internal sealed class TimedCalls(int times, bool isJudged)
{
    /// <summary>What the 99th percentile of each may be.</summary>
    public const double BarMilliseconds = 50;

    /// <summary>Whether all that is judged met the bar.</summary>
    public bool IsGood { get; private set; } = true;

    /// <summary>Prints the head of the table.</summary>
    public static void PrintHead() =>
        Console.WriteLine("what                                            times      p50       p99    worst");

    /// <summary>Times a GET.</summary>
    /// <exception cref="InvalidDataException">One was not answered with 2xx.</exception>
    public Task GetAsync(
        HttpClient client, string name, Func<string> path, CancellationToken stop, bool isInformative = false, int? often = null)
    {
        return RunAsync(name, CallAsync, isInformative, often);

        async Task CallAsync()
        {
            var asked = path();
            using var answer = await client.GetAsync(asked, stop);
            await answer.Content.ReadAsByteArrayAsync(stop);
            if (!answer.IsSuccessStatusCode) throw new InvalidDataException($"{asked} was answered {(int)answer.StatusCode}.");
        }
    }

    /// <summary>Times a call.</summary>
    public async Task RunAsync(string name, Func<Task> call, bool isInformative = false, int? often = null)
    {
        var taken = new List<TimeSpan>();
        for (var number = 0; number < (often ?? times); number++)
        {
            var start = Stopwatch.GetTimestamp();
            await call();
            taken.Add(Stopwatch.GetElapsedTime(start));
        }

        var summary = LatencySummary.Of(taken);
        var (isMet, counts) = (summary.P99 <= BarMilliseconds, isJudged && !isInformative);
        IsGood &= isMet || !counts;
        Console.WriteLine(
            $"{name,-46} {summary.Count,6} {summary.P50,8:F2} {summary.P99,9:F2} {taken.Max().TotalMilliseconds,8:F2} ms  "
            + (!counts ? "not judged" : isMet ? "PASS" : "FAIL"));
    }
}
