namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// One endpoint's line: events read from the store and not started, claimed retries, what is in flight, and the cursor. It decides only;
/// reading, sending and recording are done by others, who ask it. Safe for concurrent use; no member blocks or does I/O.
/// </summary>
internal sealed class Lane
{
    /// <summary>
    /// The most ids between cursor and read position: a first event that hangs must not make the window grow without end.
    /// </summary>
    private const int MaxWindow = 1024;

    private readonly Lock _lock = new();
    private readonly Queue<DueEvent> _fresh = new();
    private readonly Queue<(ClaimedRetry Claim, DateTimeOffset StartBefore)> _retries = new();
    private readonly HashSet<EventId> _busy = [];
    private readonly HashSet<EventId> _triedMeanwhile = [];
    private readonly HashSet<EventId> _acknowledgedMeanwhile = [];
    private readonly LaneWindow _window;
    private readonly InFlightLimit _limit;
    private readonly LaneHealth _health;
    private WebhookTarget _target;
    private int _inFlight;
    private int _fetching;
    private bool _readWanted = true;
    private bool _reading;

    /// <summary>Creates the lane at its stored cursor; it wants to look for events once.</summary>
    public Lane(WebhookTarget target, DeliveryOptions options, TimeProvider time)
    {
        _target = target;
        _window = new LaneWindow(target.Endpoint.DeliveredThrough);
        _limit = new InFlightLimit(options.MaxInFlightPerEndpoint);
        _health = new LaneHealth(time);
    }

    /// <summary>The current configuration; counts from the next try on.</summary>
    public WebhookTarget Target
    {
        get => Volatile.Read(ref _target);
        set => Volatile.Write(ref _target, value);
    }

    /// <summary>The current configuration's row.</summary>
    public EndpointRecord Endpoint => Target.Endpoint;

    /// <summary>Whether it takes turns with slow lanes only.</summary>
    public bool IsSlow
    {
        get
        {
            lock (_lock) return _health.IsSlow;
        }
    }

    /// <summary>Whether a try could start now.</summary>
    public bool IsReady
    {
        get
        {
            lock (_lock) return MayStart && _fresh.Count + _retries.Count > 0;
        }
    }

    /// <summary>How many retries it could start now.</summary>
    public int RetryRoom
    {
        get
        {
            lock (_lock) return IsOpen ? Math.Max(0, _limit.Value - _inFlight - _retries.Count) : 0;
        }
    }

    /// <summary>Whether more retries may be due than the last claim had room for.</summary>
    public bool MoreRetriesDue { get; private set; }

    private bool IsOpen => Endpoint.Enabled && !_health.IsPaused;

    private bool MayStart => _inFlight < _limit.Value && IsOpen;

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
            if (!_readWanted || _reading || !IsOpen || _fresh.Count >= _limit.Value || _window.Count >= MaxWindow) return false;
            _readWanted = false;
            _reading = true;
            _fetching++;
            return true;
        }
    }

    /// <summary>
    /// What to read: after which id, and how much. Small for lanes that send little at a time, so that many stalled ones hold little
    /// memory.
    /// </summary>
    public (EventId After, int Limit, int MaxBytes) NextRead
    {
        get
        {
            lock (_lock) return (_window.ReadThrough, Math.Min(Math.Max(8, _limit.Value * 4), Math.Max(1, MaxWindow - _window.Count)), Math.Clamp(_limit.Value, 2, 32) * 32 * 1024);
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
            var before = _window.Cursor;
            // Anything found means that more may follow.
            _readWanted |= page is null || page.ScannedThrough > _window.ReadThrough;
            foreach (var due in page?.Events ?? [])
            {
                // What a replay overtook is not the lane's any more: its first try was the replay.
                if (_acknowledgedMeanwhile.Contains(due.Id) || _busy.Contains(due.Id) || _triedMeanwhile.Contains(due.Id)) continue;
                _window.Add(due.Id);
                _fresh.Enqueue(due);
            }

            _triedMeanwhile.Clear();

            if (page is not null) _window.ScannedThrough(page.ScannedThrough);
            EndFetch();
            return _window.Count == 0 && _window.Cursor > before;
        }
    }

    /// <summary>Announces that retries are being claimed; ended by <see cref="EndClaim"/>.</summary>
    public void BeginClaim()
    {
        lock (_lock) _fetching++;
    }

    /// <summary>
    /// Takes claimed retries in. One that is still in flight or unrecorded (its claim ran out meanwhile) is left alone; so is a replay of an
    /// event that waits here for its first try, which has the same number: the result of that try ends the claim.
    /// </summary>
    /// <param name="claims">The claims for this lane.</param>
    /// <param name="startBefore">A try that starts later than this could outlive its claim.</param>
    /// <param name="moreDue">Whether there may be more, for which there was no room.</param>
    public void EndClaim(IEnumerable<ClaimedRetry> claims, DateTimeOffset startBefore, bool moreDue)
    {
        lock (_lock)
        {
            MoreRetriesDue = moreDue;
            foreach (var claim in claims)
            {
                if (!claim.IsReplay && _acknowledgedMeanwhile.Contains(claim.Event.Id)) continue;
                if (claim.Attempt == 1 && _fresh.Any(due => due.Id == claim.Event.Id)) continue;
                if (_busy.Add(claim.Event.Id)) _retries.Enqueue((claim, startBefore));
            }

            EndFetch();
        }
    }

    /// <summary>Takes the next try: retries first, then events in order. Null when there is none that may start.</summary>
    public LaneTry? TryStart(DateTimeOffset now)
    {
        lock (_lock)
        {
            if (!MayStart) return null;
            while (_retries.TryDequeue(out var retry))
            {
                if (now < retry.StartBefore) return Start(retry.Claim.Event, retry.Claim);
                _busy.Remove(retry.Claim.Event.Id);
            }

            if (!_fresh.TryDequeue(out var due)) return null;
            _busy.Add(due.Id);
            return Start(due, claim: null);
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
                _health.Failed(result.RetryAfter);
            }
        }
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
        lock (_lock)
        {
            _busy.Remove(ended.Event.Id);
            if (_reading && ended.Claim is not null) _triedMeanwhile.Add(ended.Event.Id);
        }
    }

    /// <summary>Drops what has not started of the given events, read or being read, but no replay; true when the cursor moved.</summary>
    public bool Acknowledged(IReadOnlySet<EventId> ids)
    {
        lock (_lock)
        {
            if (_fetching > 0) _acknowledgedMeanwhile.UnionWith(ids);
            var before = _window.Cursor;
            for (var i = _fresh.Count; i > 0; i--)
            {
                var due = _fresh.Dequeue();
                if (ids.Contains(due.Id)) _window.Finish(due.Id);
                else _fresh.Enqueue(due);
            }

            for (var i = _retries.Count; i > 0; i--)
            {
                var retry = _retries.Dequeue();
                if (!retry.Claim.IsReplay && ids.Contains(retry.Claim.Event.Id)) _busy.Remove(retry.Claim.Event.Id);
                else _retries.Enqueue(retry);
            }

            return _window.Cursor > before;
        }
    }

    private LaneTry Start(DueEvent due, ClaimedRetry? claim)
    {
        _inFlight++;
        return new LaneTry(this, due, claim, _limit.Epoch);
    }

    private void EndFetch()
    {
        if (--_fetching == 0) _acknowledgedMeanwhile.Clear();
    }
}
