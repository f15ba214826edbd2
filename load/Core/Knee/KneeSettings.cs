namespace ZapierTriggers.Load.Core.Knee;

/// <summary>What a search for the knee is made of.</summary>
internal sealed record KneeSettings
{
    /// <summary>How long the capacity is measured, after as long a warm-up.</summary>
    public TimeSpan Measure { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long each step offers its rate.</summary>
    public TimeSpan Step { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The steps, in percent of the capacity.</summary>
    public IReadOnlyList<int> Percents { get; init; } = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110];

    /// <summary>Events a second that count as the capacity; null measures it.</summary>
    public double? Capacity { get; init; }

    /// <summary>How long the server may take after a step to store and deliver what it has accepted.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromMinutes(1);
}
