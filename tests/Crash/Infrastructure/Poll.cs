using System.Diagnostics;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>Waits for what another process does, by asking again and again up to a deadline.</summary>
internal static class Poll
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Returns once the condition holds. Throws <see cref="TimeoutException"/> that says what was waited for when it does not within
    /// <paramref name="limit"/>.
    /// </summary>
    public static Task UntilAsync(Func<bool> condition, TimeSpan limit, string what) =>
        UntilAsync(() => Task.FromResult(condition()), limit, () => what);

    /// <summary>The same for a condition that takes time to ask; <paramref name="what"/> is asked at the end.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan limit, Func<string> what)
    {
        var start = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Interval);
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > limit) throw new TimeoutException($"Waited {limit.TotalSeconds:F0} s for {what()}.");
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Lets a moment pass, up to some 5 ms for each tick: for faults that must come at no particular time.</summary>
    public static async Task SomeTicksAsync(int ticks)
    {
        using var timer = new PeriodicTimer(Interval);
        for (; ticks > 0; ticks--) await timer.WaitForNextTickAsync();
    }
}
