namespace ZapierTriggers.Load.Core.Reporting;

/// <summary>A bar beside what was measured.</summary>
internal static class Bar
{
    /// <summary>Prints the line; returns whether the bar is met. What is not judged, because a run is too short, is always met.</summary>
    /// <param name="name">What it is about.</param>
    /// <param name="figures">What was measured.</param>
    /// <param name="isMet">Whether that is good enough.</param>
    /// <param name="bar">The bar in words.</param>
    /// <param name="isJudged">Whether the run can tell.</param>
    public static bool Tell(string name, string figures, bool isMet, string bar, bool isJudged = true)
    {
        var verdict = !isJudged ? "not judged" : isMet ? "bar met" : "BAR MISSED";
        Console.WriteLine($"{name,-9} {figures} ({verdict}: {bar})");
        return isMet || !isJudged;
    }
}
