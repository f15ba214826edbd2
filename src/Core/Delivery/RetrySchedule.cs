namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// When a failed delivery is tried again: a list of waits, each with jitter so that what failed together does not come back together.
/// </summary>
internal sealed class RetrySchedule
{
    /// <summary>How far a wait may differ from the list, to either side, as a part of it.</summary>
    public const double Jitter = 0.2;

    private readonly TimeSpan[] _waits;
    private readonly Func<double> _random;

    /// <summary>Creates a schedule from the waits before the second, third, … try.</summary>
    /// <param name="waits">See <see cref="DeliveryOptions.RetrySchedule"/>.</param>
    /// <param name="random">Draws from 0 (inclusive) to 1 (exclusive); null = at random.</param>
    public RetrySchedule(IReadOnlyList<TimeSpan> waits, Func<double>? random = null)
    {
        _waits = [.. waits];
        _random = random ?? Random.Shared.NextDouble;
    }

    /// <summary>The most tries that an event gets.</summary>
    public int Tries => _waits.Length + 1;

    /// <summary>How long to wait after the given try has failed; null when it was the last.</summary>
    /// <param name="attempt">The number of the failed try, 1 for the first.</param>
    /// <param name="retryAfter">What the receiver asked for (see <see cref="RetryAfter"/>): never sooner than that.</param>
    /// <param name="own">Seconds of the endpoint's own list, used instead; null = it has none.</param>
    public TimeSpan? WaitAfter(int attempt, TimeSpan? retryAfter = null, IReadOnlyList<int>? own = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(attempt, 1);
        if (attempt > (own?.Count ?? _waits.Length)) return null;
        var listed = own is null ? _waits[attempt - 1] : TimeSpan.FromSeconds(own[attempt - 1]);
        var wait = listed * (1 + Jitter * (2 * _random() - 1));
        return retryAfter > wait ? retryAfter : wait;
    }
}
