namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// One endpoint's line: events read from the store and not started, claimed retries, what is in flight, and the cursor. It decides only;
/// reading, sending and recording are done by others, who ask it. Safe for concurrent use; no member blocks or does I/O.
/// </summary>
internal sealed class Lane
{
    /// <summary>The most ids between cursor and read position: a first event that hangs must not let the window grow.</summary>
    private const int MaxWindow = 4096;

    private readonly Lock _lock = new();
    private readonly LaneQueue _queue;
    private readonly InFlightLimit _limit;
    private readonly LaneHealth _health;
    private readonly LanePace _pace;
    private readonly LaneFilter _filter = new();
    private readonly int _mostInFlight;
    private LaneWindow _window;
    private WebhookTarget _target;
    private int _inFlight;
    private bool _readWanted = true;
    private bool _reading;
    private bool _removed;
    private bool _held;

    /// <summary>Creates the lane at its stored cursor; it wants to look for events once.</summary>
    public Lane(WebhookTarget target, DeliveryOptions options, TimeProvider time)
    {
        (_target, Turn) = (target, new LinkedListNode<Lane>(this));
        (_window, Generation) = (new LaneWindow(target.Endpoint.DeliveredThrough), target.Endpoint.LaneGeneration);
        _mostInFlight = options.MaxInFlightPerEndpoint;
        _limit = new InFlightLimit(MostOf(target));
        _health = new LaneHealth(time, target.Endpoint.FailingSince);
        _pace = new LanePace(time, options.CatchUpPerSecond);
        _pace.SetOwn(target.Endpoint.RateLimitPerSecond);
        _queue = new LaneQueue(time, options.OrderingWait);
        _queue.Keys.IsOrdered = target.Endpoint.Ordering == EndpointOrdering.Key;
    }

    /// <summary>The current configuration; counts from the next try on.</summary>
    public WebhookTarget Target
    {
        get => Volatile.Read(ref _target);
        set
        {
            lock (_lock)
            {
                var isEnabledAgain = value.Endpoint.Enabled && !_target.Endpoint.Enabled;
                _limit.SetMost(MostOf(value));
                Volatile.Write(ref _target, value);
                _pace.SetOwn(value.Endpoint.RateLimitPerSecond);
                _queue.Keys.IsOrdered = value.Endpoint.Ordering == EndpointOrdering.Key;
                if (!isEnabledAgain) return;
                _health.Reset();
                _pace.ReleaseHeld();
            }
        }
    }

    /// <summary>The current configuration's row.</summary>
    public EndpointRecord Endpoint => Target.Endpoint;

    /// <summary>Where it waits for a place, if it does; only <see cref="LaneLines"/> uses it.</summary>
    public LinkedListNode<Lane> Turn { get; }

    /// <summary>See <see cref="EndpointRecord.LaneGeneration"/>.</summary>
    public int Generation { get; private set; }

    /// <summary>How the endpoint is.</summary>
    public EndpointHealth Health
    {
        get
        {
            lock (_lock) return _target.Endpoint.Enabled ? _health.Of(_target.Endpoint) : EndpointHealth.Disabled(_target.Endpoint);
        }
    }

    /// <summary>Failures in a row, of this process, and since when it fails, also of a former one.</summary>
    public (int Count, DateTimeOffset? Since) Failing
    {
        get
        {
            lock (_lock) return (_health.Failures, _health.FailingSince);
        }
    }

    /// <summary>What its tries have come to lately: with whom it takes turns.</summary>
    public LaneStanding Standing
    {
        get
        {
            lock (_lock) return _health.Standing;
        }
    }

    /// <summary>Whether a try could start now.</summary>
    public bool IsReady
    {
        get
        {
            lock (_lock) return MayStart && _queue.HasNext;
        }
    }

    /// <summary>How many retries it could start now.</summary>
    public int RetryRoom
    {
        get
        {
            lock (_lock) return IsOpen ? Math.Max(0, Math.Min(_limit.Value - _inFlight, MostClaimed) - _queue.Retries) : 0;
        }
    }

    /// <summary>Whether more retries may be due than the last claim had room for.</summary>
    public bool MoreRetriesDue { get; private set; }

    /// <summary>Whether its endpoint has been removed: nothing is read or started any more.</summary>
    public bool IsRemoved
    {
        get
        {
            lock (_lock) return _removed;
        }
    }

    /// <summary>
    /// Whether its organization is suspended: nothing is read, started or lost. Released, it goes on as one enabled again does.
    /// </summary>
    public bool IsHeld
    {
        get
        {
            lock (_lock) return _held;
        }

        set
        {
            lock (_lock)
            {
                var isReleased = _held && !value;
                _held = value;
                if (!isReleased) return;
                _health.Reset();
                _pace.ReleaseHeld();
            }
        }
    }

    private bool IsOpen => Endpoint.Enabled && !_removed && !_held && !_health.IsPaused;

    private bool MayStart => HasRoom && _pace.Wait == TimeSpan.Zero;
    private bool HasRoom => _inFlight < _limit.Value && IsOpen;

    /// <summary>A claimed retry that cannot start soon would outlive its claim: what the rate lets through in ten seconds.</summary>
    private int MostClaimed => _pace.PerSecond is { } rate ? rate * 10 : int.MaxValue;

    /// <summary>Stops it for good, or (when its endpoint could not be removed) goes on.</summary>
    public void SetRemoved(bool removed)
    {
        lock (_lock) _removed = removed;
    }

    /// <summary>
    /// Before its filter changes: events after the returned id, at least <paramref name="lastOfOld"/>, wait for the new one. Ended by
    /// <see cref="Unpin"/>.
    /// </summary>
    public EventId Pin(EventId lastOfOld)
    {
        lock (_lock) return _filter.Pin(lastOfOld, _window.ReadThrough, Endpoint.Filters);
    }

    /// <summary>Goes on past the pin, under whatever filter the target has now.</summary>
    public void Unpin()
    {
        lock (_lock)
        {
            _filter.Unpin(_reading);
            _readWanted = true;
        }
    }

    /// <summary>
    /// Whether a try could start but for the rate limit; then <paramref name="wait"/> says how long it takes, and the caller is obliged to
    /// call <see cref="EndWait"/> after it.
    /// </summary>
    public bool TryBeginWait(out TimeSpan wait)
    {
        lock (_lock) return _pace.TryBeginWait(HasRoom && _queue.HasNext, out wait);
    }

    /// <summary>See <see cref="TryBeginWait"/>.</summary>
    public void EndWait()
    {
        lock (_lock) _pace.EndWait();
    }

    /// <summary>Goes back to where the store has set the lane. Only before anything was read.</summary>
    public void Rewind(EndpointRecord stored)
    {
        lock (_lock) (_window, Generation) = (new LaneWindow(stored.DeliveredThrough), stored.LaneGeneration);
    }

    /// <summary>Notes that there may be new events in the store.</summary>
    public void Wake()
    {
        lock (_lock) _readWanted = true;
    }

    /// <summary>Whether to read a page now; true obliges the caller to end it with <see cref="EndRead"/>.</summary>
    public bool TryBeginRead()
    {
        lock (_lock)
        {
            if (!_readWanted || _reading || !IsOpen || _queue.Fresh >= _limit.Value * 2 || _window.Count >= MaxWindow) return false;
            if (_filter.HoldsAfter(_window.ReadThrough)) return false;
            (_readWanted, _reading) = (false, true);
            _queue.BeginFetch();
            return true;
        }
    }

    /// <summary>
    /// What to read: after which id, and how much. Small for lanes that send little at a time, so that many stalled ones hold little
    /// memory.
    /// </summary>
    public LaneRead NextRead
    {
        get
        {
            lock (_lock)
            {
                return new LaneRead
                {
                    OrganizationNo = Endpoint.OrganizationNo,
                    EndpointId = Endpoint.Id,
                    After = _window.ReadThrough,
                    Limit = Math.Min(Math.Max(8, _limit.Value * 8), Math.Max(1, MaxWindow - _window.Count)),
                    MaxBytes = Math.Clamp(_limit.Value, 2, 32) * 32 * 1024,
                    Patterns = _filter.BeginRead(Endpoint.Filters, _window.ReadThrough),
                };
            }
        }
    }

    /// <summary>
    /// Takes a page in; null when reading failed and is to be tried again. Returns whether the cursor moved without any event to send.
    /// </summary>
    public bool EndRead(LanePage? page)
    {
        lock (_lock)
        {
            _reading = false;
            page = _filter.CutOff(page);
            var before = _window.Cursor;
            // Anything found means that more may follow.
            _readWanted |= page is null || page.ScannedThrough > _window.ReadThrough;
            _queue.Add(page?.Events ?? [], Endpoint.Id, _window);
            if (page is not null) _window.ScannedThrough(page.ScannedThrough);
            _queue.EndFetch();
            return _window.Count == 0 && _window.Cursor > before;
        }
    }

    /// <summary>Announces that retries are being claimed; ended by <see cref="EndClaim"/>.</summary>
    public void BeginClaim()
    {
        lock (_lock) _queue.BeginFetch();
    }

    /// <summary>Takes claimed retries in; see <see cref="LaneQueue.Add(IEnumerable{ClaimedRetry}, DateTimeOffset)"/>.</summary>
    /// <param name="claims">The claims for this lane.</param>
    /// <param name="startBefore">A try that starts later than this could outlive its claim.</param>
    /// <param name="moreDue">Whether there may be more, for which there was no room.</param>
    public void EndClaim(IEnumerable<ClaimedRetry> claims, DateTimeOffset startBefore, bool moreDue)
    {
        lock (_lock)
        {
            MoreRetriesDue = moreDue;
            _queue.Add(claims, startBefore);
            _queue.EndFetch();
        }
    }

    /// <summary>Takes the next try: retries first, then events in order. Null when there is none that may start.</summary>
    public LaneTry? TryStart(DateTimeOffset now)
    {
        lock (_lock)
        {
            if (!MayStart || _queue.Next(now) is not { } next) return null;
            if (next.Claim is null) _pace.Reached(next.Event.Id);
            _inFlight++;
            _pace.Started();
            return new LaneTry(this, next.Event, next.Claim, _limit.Epoch);
        }
    }

    /// <summary>A try of it has been in flight for long.</summary>
    public void TurnSlow()
    {
        lock (_lock)
        {
            if (_health.TurnSlow()) _limit.Collapse();
        }
    }

    /// <summary>A try has ended with this result.</summary>
    public void Ended(LaneTry ended, TryResult result, bool slow)
    {
        lock (_lock)
        {
            _inFlight--;
            if (result.Error == DeliveryError.None)
            {
                _limit.Succeeded(slow);
                _health.Succeeded(slow);
            }
            else if (result.Error is not (DeliveryError.Stopped or DeliveryError.BlockedAddress))
            {
                _limit.Failed(ended.Epoch);
                _health.Failed(result);
            }
        }
    }

    /// <summary>It is known what a try's result means: whether its event is tried again. The next one of its key may start.</summary>
    public void Decided(LaneTry ended, bool isFinal)
    {
        lock (_lock) _queue.Keys.Ended(ended.Event, isFinal);
    }

    /// <summary>These events had failed before this process and are to be tried again: those of their keys wait for them.</summary>
    public void HaveFailed(IReadOnlyList<(string Key, EventId Id)> events)
    {
        lock (_lock) _queue.Keys.HaveFailed(events);
    }

    /// <summary>A try's result is about to be recorded: the cursor to record with it.</summary>
    public EventId Finish(LaneTry ended)
    {
        lock (_lock)
        {
            if (ended.Claim is null) _window.Finish(ended.Event.Id);
            return _window.Cursor;
        }
    }

    /// <summary>The cursor.</summary>
    public EventId Cursor
    {
        get
        {
            lock (_lock) return _window.Cursor;
        }
    }

    /// <summary>A try's result is recorded (or was refused by the store for good): its retry may be claimed again.</summary>
    public void Recorded(LaneTry ended)
    {
        lock (_lock) _queue.Recorded(ended, _reading);
    }

    /// <summary>Claims whose tries are not recorded.</summary>
    public IReadOnlyList<HeldClaim> Claims()
    {
        lock (_lock) return [.. _queue.Claims];
    }

    /// <summary>Drops what has not started of the given events, read or being read, but no replay; true when the cursor moved.</summary>
    public bool Acknowledged(IReadOnlySet<EventId> ids) => Drop(ids, replaysToo: false);

    /// <summary>The same for events that are erased: replays are dropped, too.</summary>
    public bool Erased(IReadOnlySet<EventId> ids) => Drop(ids, replaysToo: true);

    /// <summary>A try was started of an event that is gone: it was not made, or its result does not count.</summary>
    /// <param name="started">The try.</param>
    /// <param name="wasMade">Whether <see cref="Ended"/> was called.</param>
    public void Gone(LaneTry started, bool wasMade)
    {
        lock (_lock)
        {
            if (!wasMade) _inFlight--;
            if (started.Claim is null) _window.Finish(started.Event.Id);
            _queue.Recorded(started, _reading);
            _queue.Keys.Ended(started.Event, isFinal: true);
        }
    }

    private bool Drop(IReadOnlySet<EventId> ids, bool replaysToo)
    {
        lock (_lock)
        {
            var before = _window.Cursor;
            _queue.Drop(ids, _window, replaysToo);
            return _window.Cursor > before;
        }
    }

    private int MostOf(WebhookTarget target) => Math.Min(target.Endpoint.MaxInFlight ?? int.MaxValue, _mostInFlight);
}
