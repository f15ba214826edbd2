using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Shares the places for tries among the lanes that are ready: each lane stands in line once, gives one try, and joins the end again. There is
/// a line for each standing, taken in turn as far as <see cref="PlaceShares"/> lets it; slow lanes have places of their own, and a try that
/// turns slow takes its place over to them. So receivers that hang cost the others at most <see cref="DeliveryOptions.SlowAfter"/> each,
/// once, and hold neither all places nor those kept for receivers that answer. Safe for concurrent use; nothing blocks.
/// </summary>
internal sealed class Turns(DeliveryOptions options, ILoopHost host, TimeProvider time, Func<LaneTry, Turns.Place, Task> run)
{
    private readonly Lock _lock = new();
    private readonly Queue<Lane>[] _lines = [.. Enum.GetValues<LaneStanding>().Select(static _ => new Queue<Lane>())];
    private readonly PlaceShares _shares = new(options);
    private readonly HashSet<Lane> _queued = [];
    private readonly HashSet<Place> _places = [];
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _nextLine;
    private bool _held;
    private bool _stopped;

    /// <summary>Tries in flight, slow ones too.</summary>
    public int InUse
    {
        get
        {
            lock (_lock) return _shares.InUse;
        }
    }

    /// <summary>
    /// Puts a lane at the end of its line, unless it stands there already. Called for every ready lane every now and then: one whose
    /// organization has its share is sent away when its turn comes.
    /// </summary>
    public void Enqueue(Lane lane)
    {
        lock (_lock)
        {
            if (_stopped || !_queued.Add(lane)) return;
            LineOf(lane).Enqueue(lane);
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
            if (options.MaxSlowInFlight == 0) return; // nothing is slow: it would have no place
            foreach (var place in _places)
            {
                if (place.IsSlow || place.Running is not { } running || time.GetElapsedTime(place.StartedAt) < options.SlowAfter) continue;
                running.Lane.TurnSlow();
                if (!_shares.HasSlowRoom) continue;
                _shares.Return(place.OrganizationNo, place.Standing);
                place.Standing = LaneStanding.Slow;
                _shares.Take(place.OrganizationNo, place.Standing);
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

    private Queue<Lane> LineOf(Lane lane) => _lines[(int)lane.Standing];

    private void FillPlaces()
    {
        var place = new Place();
        while (TryTake(place) is { } lane)
        {
            var (taken, first) = (place, lane);
            _places.Add(taken);
            _ = host.Run(() => RunAsync(taken, first));
            place = new Place();
        }
    }

    /// <summary>The next lane that there is a place for; the place is taken. Each line in turn, from the one after the last taken.</summary>
    private Lane? TryTake(Place place)
    {
        if (_held || _stopped) return null;
        for (var i = 0; i < _lines.Length; i++)
        {
            var standing = (LaneStanding)((_nextLine + i) % _lines.Length);
            while (_shares.HasRoom(standing) && _lines[(int)standing].TryDequeue(out var lane))
            {
                if (lane.Standing != standing)
                {
                    LineOf(lane).Enqueue(lane);
                    i = -1; // that line may have been looked at
                    break;
                }

                _queued.Remove(lane);
                var no = lane.Endpoint.OrganizationNo;
                if (!_shares.MayTake(no, standing)) continue;
                _shares.Take(no, standing);
                (place.OrganizationNo, place.Standing) = (no, standing);
                _nextLine = (int)standing + 1;
                return lane;
            }
        }

        return null;
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
            _shares.Return(place.OrganizationNo, place.Standing);
            if (!_stopped && had.IsReady && _queued.Add(had)) LineOf(had).Enqueue(had);
            if (TryTake(place) is { } next) return next;
            _places.Remove(place);
            if (_stopped && _places.Count == 0) _empty.TrySetResult();
            return null;
        }
    }

    /// <summary>A place for one try at a time.</summary>
    internal sealed class Place
    {
        /// <summary>What its lane was when it got it, or slow since its try has turned so.</summary>
        public LaneStanding Standing { get; set; }

        /// <summary>Whose it is.</summary>
        public int OrganizationNo { get; set; }

        /// <summary>Whether it counts on the slow side.</summary>
        public bool IsSlow => Standing == LaneStanding.Slow;

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
