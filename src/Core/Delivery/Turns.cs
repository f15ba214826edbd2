using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Shares the places for tries among the lanes that are ready: each lane stands in line once, gives one try, and joins the end again. There
/// are two lines with places of their own, one for lanes that answer soon and one for slow ones; a try that turns slow takes its place over
/// to the slow side. So receivers that hang cost the others at most <see cref="DeliveryOptions.SlowAfter"/> each, once. Safe for concurrent
/// use; nothing blocks.
/// </summary>
internal sealed class Turns(DeliveryOptions options, ILoopHost host, TimeProvider time, Func<LaneTry, Turns.Place, Task> run)
{
    private readonly Lock _lock = new();
    private readonly Queue<Lane> _soon = new();
    private readonly Queue<Lane> _slow = new();
    private readonly HashSet<Lane> _queued = [];
    private readonly HashSet<Place> _places = [];
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _soonInUse;
    private int _slowInUse;
    private bool _held;
    private bool _stopped;

    /// <summary>Tries in flight, slow ones too.</summary>
    public int InUse
    {
        get
        {
            lock (_lock) return _soonInUse + _slowInUse;
        }
    }

    /// <summary>Puts a lane at the end of its line, unless it stands there already.</summary>
    public void Enqueue(Lane lane)
    {
        lock (_lock)
        {
            if (_stopped || !_queued.Add(lane)) return;
            (lane.IsSlow ? _slow : _soon).Enqueue(lane);
            FillPlaces();
        }
    }

    /// <summary>While held, no try starts.</summary>
    public void Hold(bool held)
    {
        lock (_lock)
        {
            _held = held;
            FillPlaces();
        }
    }

    /// <summary>
    /// Moves tries that have been in flight for long to the slow side, as far as there is room. Called every now and then.
    /// </summary>
    public void MoveSlow()
    {
        lock (_lock)
        {
            foreach (var place in _places)
            {
                if (place.IsSlow || place.Running is not { } running || time.GetElapsedTime(place.StartedAt) < options.SlowAfter) continue;
                running.Lane.TurnSlow();
                if (_slowInUse >= options.MaxSlowInFlight) continue;
                place.IsSlow = true;
                _soonInUse--;
                _slowInUse++;
            }

            FillPlaces();
        }
    }

    /// <summary>Starts nothing any more; completes when no try is in flight.</summary>
    public Task StopAsync()
    {
        lock (_lock)
        {
            _stopped = true;
            if (_places.Count == 0) _empty.TrySetResult();
            return _empty.Task;
        }
    }

    private void FillPlaces()
    {
        while (Take() is { } taken)
        {
            var place = new Place { IsSlow = taken.Slow };
            _places.Add(place);
            _ = host.Run(() => RunAsync(place, taken.Lane));
        }
    }

    /// <summary>The next lane that there is a place for; the place is taken.</summary>
    private (Lane Lane, bool Slow)? Take()
    {
        if (_held || _stopped) return null;
        while (_soonInUse < options.MaxInFlight && _soon.TryDequeue(out var lane))
        {
            if (lane.IsSlow)
            {
                _slow.Enqueue(lane);
                continue;
            }

            _queued.Remove(lane);
            _soonInUse++;
            return (lane, false);
        }

        if (_slowInUse >= options.MaxSlowInFlight || !_slow.TryDequeue(out var slow)) return null;
        _queued.Remove(slow);
        _slowInUse++;
        return (slow, true);
    }

    /// <summary>Keeps a place as long as some lane is ready: one try after another, without a thread hop between them.</summary>
    private async Task RunAsync(Place place, Lane lane)
    {
        for (var next = lane; next is not null; next = PassOn(place, next))
        {
            var started = next.TryStart(time.GetUtcNow());
            if (started is null) continue;
            if (next.IsReady) Enqueue(next);
            place.Begin(started, time.GetTimestamp());
            await run(started, place);
            place.Running = null;
        }
    }

    /// <summary>
    /// Gives the place back and takes one again for whoever is next: the lane that had it stands at the end of the line, unless it has
    /// nothing to start. Null when nobody is next.
    /// </summary>
    private Lane? PassOn(Place place, Lane had)
    {
        lock (_lock)
        {
            if (place.IsSlow) _slowInUse--;
            else _soonInUse--;
            if (!_stopped && had.IsReady && _queued.Add(had)) (had.IsSlow ? _slow : _soon).Enqueue(had);
            if (Take() is { } taken)
            {
                place.IsSlow = taken.Slow;
                return taken.Lane;
            }

            _places.Remove(place);
            if (_stopped && _places.Count == 0) _empty.TrySetResult();
            return null;
        }
    }

    /// <summary>A place for one try at a time.</summary>
    internal sealed class Place
    {
        /// <summary>Whether it counts on the slow side.</summary>
        public bool IsSlow { get; set; }

        /// <summary>The try in it.</summary>
        public LaneTry? Running { get; set; }

        /// <summary>When that started, as a timestamp of the time provider.</summary>
        public long StartedAt { get; private set; }

        /// <summary>Puts a try in.</summary>
        public void Begin(LaneTry started, long timestamp)
        {
            StartedAt = timestamp;
            Running = started;
        }
    }
}
