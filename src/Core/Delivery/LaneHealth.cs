namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// How an endpoint has been answering: whether it is slow, since when it fails, and until when it is left alone. A receiver's Retry-After
/// pauses it; so does a row of failures without any success (the breaker), for a second at first and twice as long with each further one,
/// so that an endpoint that is away costs little and fails few of its waiting events. Not safe for concurrent use: its lane guards it.
/// </summary>
internal sealed class LaneHealth(TimeProvider time, DateTimeOffset? failingSince)
{
    /// <summary>Failures in a row from which on the breaker pauses the lane: more than one event's whole schedule by default.</summary>
    public const int BreakAfter = 10;

    /// <summary>The breaker's longest pause.</summary>
    public static readonly TimeSpan LongestBreak = TimeSpan.FromSeconds(30);

    private long _pausedUntil = long.MinValue;
    private DateTimeOffset? _askedSince;
    private string? _lastError;
    private bool _answers;

    /// <summary>Failures in a row; the next success makes it 0.</summary>
    public int Failures { get; private set; }

    /// <summary>When the first failure after the latest success was, also of a former process; null = it does not fail.</summary>
    public DateTimeOffset? FailingSince { get; private set; } = failingSince;

    /// <summary>When a success ended the latest failing; null = that was never so in this process.</summary>
    public DateTimeOffset? RecoveredAt { get; private set; }

    /// <summary>Whether its latest success was slow or one of its tries is.</summary>
    public bool IsSlow { get; private set; }

    /// <summary>What its tries have come to lately.</summary>
    public LaneStanding Standing => IsSlow ? LaneStanding.Slow
        : FailingSince is not null ? LaneStanding.Fails
        : _answers ? LaneStanding.Answers : LaneStanding.Unknown;

    /// <summary>Whether it is to be left alone now.</summary>
    public bool IsPaused => _pausedUntil != long.MinValue && time.GetTimestamp() < _pausedUntil;

    /// <summary>What is to be said of an enabled endpoint.</summary>
    /// <param name="endpoint">Its row.</param>
    public EndpointHealth Of(EndpointRecord endpoint)
    {
        var failures = (Failures, FailingSince, _lastError);
        var resumes = IsPaused ? time.GetUtcNow() + time.GetElapsedTime(time.GetTimestamp(), _pausedUntil) : (DateTimeOffset?)null;
        if (_askedSince is { } asked && IsPaused)
            return new(EndpointState.Paused, asked, $"The receiver asked for a pause ({_lastError}).", resumes, failures);
        if (Failures >= BreakAfter)
            return new(EndpointState.BackingOff, FailingSince!.Value, $"{Failures} tries in a row have failed; the last one: {_lastError}", resumes, failures);
        return new(EndpointState.Active, RecoveredAt ?? endpoint.CreatedAt, Reason: null, ResumesAt: null, failures);
    }

    /// <summary>A try of it has turned slow; true when it was not before.</summary>
    public bool TurnSlow()
    {
        if (IsSlow) return false;
        return IsSlow = true;
    }

    /// <summary>A try succeeded. Ends a break, not a pause that was asked for by another try meanwhile: that has its own end.</summary>
    public void Succeeded(bool slow)
    {
        if (FailingSince is not null) RecoveredAt = time.GetUtcNow();
        (Failures, FailingSince) = (0, null);
        (IsSlow, _answers) = (slow, true);
    }

    /// <summary>A try failed.</summary>
    public void Failed(TryResult result)
    {
        Failures++;
        FailingSince ??= time.GetUtcNow();
        _lastError = result.ErrorText;
        if (result.RetryAfter is { } asked)
        {
            if (!IsPaused || _askedSince is null) _askedSince = time.GetUtcNow();
            PauseFor(asked);
        }
        else if (!IsPaused)
        {
            _askedSince = null;
        }

        if (Failures >= BreakAfter)
            PauseFor(TimeSpan.FromSeconds(Math.Min(LongestBreak.TotalSeconds, 1 << Math.Min(Failures - BreakAfter, 10))));
    }

    /// <summary>Forgets all failures: somebody has enabled the endpoint again.</summary>
    public void Reset()
    {
        (Failures, FailingSince, RecoveredAt) = (0, null, time.GetUtcNow());
        _answers = false;
        (_pausedUntil, _askedSince, _lastError) = (long.MinValue, null, null);
    }

    private void PauseFor(TimeSpan wait)
    {
        var until = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
        if (until > _pausedUntil) _pausedUntil = until;
    }
}
