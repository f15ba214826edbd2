namespace ZapierTriggers.Core.Delivery;

/// <summary>What came of one try.</summary>
internal sealed record TryResult
{
    /// <summary>Why it did not succeed; <see cref="DeliveryError.None"/> when it did.</summary>
    public required DeliveryError Error { get; init; }

    /// <summary>The same in words, with what is known; null on success.</summary>
    public string? ErrorText { get; init; }

    /// <summary>HTTP status, or null when there was no answer.</summary>
    public int? Status { get; init; }

    /// <summary>When it started.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>From start to the end of the answer or the failure.</summary>
    public required TimeSpan Latency { get; init; }

    /// <summary>The first 4 KB of the answer, sanitised; null when it was empty.</summary>
    public string? Answer { get; init; }

    /// <summary>On 429 and 503: the pause that the receiver asked for, clamped to a day.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
