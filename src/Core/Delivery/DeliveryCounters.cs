namespace ZapierTriggers.Core.Delivery;

/// <summary>What has been delivered since the start, for metrics. Safe for concurrent use.</summary>
internal sealed class DeliveryCounters
{
    private long _delivered;
    private long _failed;
    private long _deadLetters;

    /// <summary>Tries answered with 2xx.</summary>
    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>Tries that failed, those that led to a dead letter too.</summary>
    public long FailedAttempts => Interlocked.Read(ref _failed);

    /// <summary>Events that no further try will be made for.</summary>
    public long DeadLetters => Interlocked.Read(ref _deadLetters);

    /// <summary>Counts one result, and whether it made a dead letter: a failed replay of what had been delivered makes none.</summary>
    public void Count(DeliveryResult result, bool isDeadLetter)
    {
        if (result.Status == Events.EventStatus.Delivered) Interlocked.Increment(ref _delivered);
        else if (result.Attempt is not null) Interlocked.Increment(ref _failed);
        if (isDeadLetter) Interlocked.Increment(ref _deadLetters);
    }
}
