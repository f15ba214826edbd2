namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// How fast a lane may start tries: its endpoint's own limit, and while events go out that were held when it was disabled, no faster than
/// catching up may be. Not safe for concurrent use: its lane guards it.
/// </summary>
/// <param name="time">Clock.</param>
/// <param name="catchUpPerSecond">See <see cref="DeliveryOptions.CatchUpPerSecond"/>.</param>
internal sealed class LanePace(TimeProvider time, int catchUpPerSecond)
{
    private readonly StartRate _rate = new(time);
    private EventId? _heldThrough;
    private int? _own;

    /// <summary>The limit now; null = none.</summary>
    public int? PerSecond => _rate.PerSecond;

    /// <summary>See <see cref="StartRate.Wait"/>.</summary>
    public TimeSpan Wait => _rate.Wait;

    /// <summary>Changes the endpoint's own limit.</summary>
    public void SetOwn(int? perSecond)
    {
        _own = perSecond;
        Apply();
    }

    /// <summary>What is accepted until now was held.</summary>
    public void ReleaseHeld()
    {
        if (catchUpPerSecond > 0) _heldThrough = EventId.LowerBound(time.GetUtcNow());
        Apply();
    }

    /// <summary>An event is about to start: one that was not held ends the catching up.</summary>
    public void Reached(EventId id)
    {
        if (!(id > _heldThrough)) return;
        _heldThrough = null;
        Apply();
    }

    /// <summary>A try starts.</summary>
    public void Started() => _rate.Started();

    private void Apply() => _rate.SetLimit(_heldThrough is null ? _own : Math.Min(_own ?? int.MaxValue, catchUpPerSecond));
}
