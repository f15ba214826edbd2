namespace ZapierTriggers.Core.Usage;

/// <summary>
/// What of an organization's usage is counted in memory until it is written: refusals and acknowledgements. An accepted event touches
/// nothing here. Any number of threads; no lock, no allocation.
/// </summary>
internal sealed class UsageCounters
{
    /// <summary>What is counted here.</summary>
    public static readonly IReadOnlyList<UsageKind> Kinds =
    [
        UsageKind.Acknowledged, UsageKind.RateLimited, UsageKind.OverQuota, UsageKind.Duplicate, UsageKind.Invalid, UsageKind.TooLarge,
        UsageKind.Unavailable,
    ];

    // By the kind's number: few enough.
    private readonly long[] _counts = new long[(int)UsageKind.Unavailable + 1];
    private int _rate;

    /// <summary>Counts.</summary>
    public void Add(UsageKind kind, long events = 1)
    {
        if (events != 0) Interlocked.Add(ref _counts[(int)kind], events);
    }

    /// <summary>What is counted and not taken yet.</summary>
    public long Peek(UsageKind kind) => Volatile.Read(ref _counts[(int)kind]);

    /// <summary>Takes what is counted; give it back with <see cref="Add"/> when it could not be written.</summary>
    public long Take(UsageKind kind) => Peek(kind) == 0 ? 0 : Interlocked.Exchange(ref _counts[(int)kind], 0);

    /// <summary>
    /// Notes how much of the rate limit is left. Below 80 % used it costs a comparison, above it a read of what is noted already.
    /// </summary>
    public void NoteRate(in Limits.RateDecision decision)
    {
        if (decision.Remaining > decision.Limit / 5) return;
        var level = decision.Remaining <= 0 ? 2 : 1;
        if (Volatile.Read(ref _rate) < level) Interlocked.Exchange(ref _rate, level);
    }

    /// <summary>How much of the rate limit was used since the last call: 2 = all, 1 = 80 %, 0 = less.</summary>
    public int TakeRate() => Volatile.Read(ref _rate) == 0 ? 0 : Interlocked.Exchange(ref _rate, 0);
}
