using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Shares the places for tries among the lanes that are ready: each lane stands in line once, gives one try, and joins the end again. There
/// is a line for each standing, taken in turn as far as <see cref="PlaceShares"/> lets it; a lane whose organization has its share is sent
/// away, to come back with the next place that this returns (<see cref="LaneLines"/>). Slow lanes have places of their own, and a try that
/// turns slow takes its place over to them. So receivers that hang cost the others at most <see cref="DeliveryOptions.SlowAfter"/> each,
/// once, and hold neither all places nor those kept for receivers that answer. Safe for concurrent use; nothing blocks.
/// </summary>
internal sealed class Turns
{
    private static readonly int Lines = Enum.GetValues<LaneStanding>().Length;

    private readonly DeliveryOptions _options;
    private readonly ILoopHost _host;
    private readonly TimeProvider _time;
    private readonly Func<LaneTry, Place, Task> _run;
    private readonly Lock _lock = new();
    private readonly PlaceShares _shares;
    private readonly LaneLines _lines;
    private readonly HashSet<Place> _places = [];
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _nextLine;
    private bool _held;
    private bool _stopped;

    /// <summary>Nothing runs yet; <paramref name="run"/> makes a try and never throws.</summary>
    public Turns(DeliveryOptions options, ILoopHost host, TimeProvider time, Func<LaneTry, Place, Task> run)
    {
        (_options, _host, _time, _run) = (options, host, time, run);
        _shares = new PlaceShares(options);
        _lines = new LaneLines(_shares);
    }

    /// <summary>Tries in flight, slow ones too.</summary>
    public int InUse
    {
        get
        {
            lock (_lock) return _shares.InUse;
        }
    }

    /// <summary>
    /// Puts a lane at the end of its line, unless it waits already. Called for every ready lane every now and then: so lanes that were sent
    /// away come back, too, when their organization's share has grown because others returned places.
    /// </summary>
    public void Enqueue(Lane lane)
    {
        lock (_lock)
        {
            if (_stopped) return;
            _lines.Join(lane);
            _lines.BringBack(lane.Endpoint.OrganizationNo, lane.Standing);
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
            if (_options.MaxSlowInFlight == 0) return; // nothing is slow: it would have no place
            foreach (var place in _places)
            {
                if (place.IsSlow || place.Running is not { } running) continue;
                if (_time.GetElapsedTime(place.StartedAt) < _options.SlowAfter) continue;
                running.Lane.TurnSlow();
                if (!_shares.HasSlowRoom) continue;
                _shares.Return(place.OrganizationNo, place.Standing);
                place.Standing = LaneStanding.Slow;
                _shares.Take(place.OrganizationNo, place.Standing);
                _lines.BringBack(place.OrganizationNo);
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
        while (TryTake(out var standing) is { } lane)
        {
            var place = new Place { OrganizationNo = lane.Endpoint.OrganizationNo, Standing = standing };
            _places.Add(place);
            Start(place, lane);
        }
    }

    /// <summary>A method of its own, so that a look that finds nobody makes no closure.</summary>
    private void Start(Place place, Lane first) => _ = _host.Run(() => RunAsync(place, first));

    /// <summary>
    /// The next lane that there is a place for, and what it counts as; the place is taken. Each line in turn, from the one after the last
    /// taken.
    /// </summary>
    private Lane? TryTake(out LaneStanding standing)
    {
        standing = default;
        if (_held || _stopped) return null;
        for (var i = 0; i < Lines; i++)
        {
            standing = (LaneStanding)((_nextLine + i) % Lines);
            while (_shares.HasRoom(standing) && _lines.Next(standing) is { } lane)
            {
                if (lane.Standing != standing)
                {
                    _lines.Join(lane);
                    i = -1; // that line may have been looked at
                    break;
                }

                var no = lane.Endpoint.OrganizationNo;
                if (!_shares.MayTake(no, standing))
                {
                    _lines.SendAway(lane, standing);
                    continue;
                }

                _shares.Take(no, standing);
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
            var started = next.TryStart(_time.GetUtcNow());
            if (started is null) continue;
            if (next.IsReady) Enqueue(next);
            place.Begin(started, _time.GetTimestamp());
            await _run(started, place);
            place.Running = null;
        }
    }

    /// <summary>
    /// Gives the place back and takes one again for whoever is next: the lane that had it stands at the end of the line, unless it has
    /// nothing to start, and behind those that were sent away because its organization had its share. Null when nobody is next.
    /// </summary>
    private Lane? PassOn(Place place, Lane had)
    {
        lock (_lock)
        {
            _shares.Return(place.OrganizationNo, place.Standing);
            _lines.BringBack(place.OrganizationNo);
            if (!_stopped && had.IsReady) _lines.Join(had);
            if (TryTake(out var standing) is { } next)
            {
                (place.OrganizationNo, place.Standing) = (next.Endpoint.OrganizationNo, standing);
                return next;
            }

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
