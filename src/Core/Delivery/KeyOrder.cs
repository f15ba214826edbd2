namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Lets the events of one ordering key start one at a time and in their order: an event waits for the try of an earlier one that is in
/// flight, and, for a while, for one that has failed and is to be tried again. Other keys, and events without one, are not held up. What it
/// knows of failures it knows also while nothing is to be ordered, so that an endpoint can change that at any time. Not safe for concurrent
/// use: its lane guards it.
/// </summary>
/// <param name="time">Clock.</param>
/// <param name="longestWait">See <see cref="DeliveryOptions.OrderingWait"/>.</param>
internal sealed class KeyOrder(TimeProvider time, TimeSpan longestWait)
{
    /// <summary>
    /// Events that wait, in all; past it they wait for tries in flight only. A quarter of a lane's window: a key that fails must not stop
    /// the others.
    /// </summary>
    public const int MostWaiting = 1024;

    // Past it, lines that nothing waits in and whose failures are too old to be waited for are forgotten.
    private const int ManyLines = 4096;

    private readonly Dictionary<string, Line> _lines = new(StringComparer.Ordinal);
    private readonly Queue<string> _ready = new();
    private long _nextEnd = long.MaxValue;
    private bool _isOrdered;

    /// <summary>Events that wait.</summary>
    public int Waiting { get; private set; }

    /// <summary>Whether <see cref="TryTakeReady"/> is worth a call.</summary>
    public bool HasReady
    {
        get
        {
            if (Waiting > 0 && time.GetTimestamp() >= _nextEnd) EndWaits();
            return _ready.Count > 0;
        }
    }

    /// <summary>Whether there is an order to keep.</summary>
    public bool IsOrdered
    {
        get => _isOrdered;
        set
        {
            _isOrdered = value;
            foreach (var (key, line) in _lines)
            {
                if (line.Items.Count > 0 && !IsBlocked(line)) _ready.Enqueue(key);
            }
        }
    }

    /// <summary>Starts an item, or, when it has to wait, keeps it.</summary>
    public bool TryTake(in LaneItem item)
    {
        if (item.Event.OrderingKey is not { Length: > 0 } key) return true;
        var line = LineOf(key);
        var isFirst = !line.Items.TryPeek(out _, out var first) || item.Event.Id < first;
        if (isFirst && !IsBlocked(line, item.Event.Id))
        {
            line.InFlight++;
            return true;
        }

        line.Items.Enqueue(item, item.Event.Id);
        Waiting++;
        line.IsLate |= Waiting > MostWaiting;
        if (!IsBlocked(line)) _ready.Enqueue(key);
        else NoteEnd(line);
        return false;
    }

    /// <summary>Starts an item that has waited and need not any more; the earliest of its key.</summary>
    public bool TryTakeReady(out LaneItem item)
    {
        item = default;
        while (HasReady)
        {
            var key = _ready.Dequeue();
            if (!_lines.TryGetValue(key, out var line) || line.Items.Count == 0 || IsBlocked(line)) continue;
            item = line.Items.Dequeue();
            Waiting--;
            line.InFlight++;
            if (line.Items.Count > 0 && !IsBlocked(line)) _ready.Enqueue(key);
            return true;
        }

        return false;
    }

    /// <summary>An item that was started is not tried after all.</summary>
    public void GiveBack(DueEvent due) => End(due, failed: null);

    /// <summary>A try has ended; <paramref name="isFinal"/>: there will be no other.</summary>
    public void Ended(DueEvent due, bool isFinal) => End(due, failed: !isFinal);

    /// <summary>An event had failed before this process, and is to be tried again.</summary>
    public void HasFailed(string key, EventId id) => LineOf(key).Fail(id, time.GetTimestamp());

    /// <summary>The same for many.</summary>
    public void HaveFailed(IReadOnlyList<(string Key, EventId Id)> events)
    {
        foreach (var (key, id) in events) HasFailed(key, id);
    }

    /// <summary>Drops what waits of the given events, and what is waited for.</summary>
    /// <param name="ids">Acknowledged or erased events.</param>
    /// <param name="replaysToo">Whether replays of them are dropped, too.</param>
    /// <param name="dropped">Called for each that waited.</param>
    public void Drop(IReadOnlySet<EventId> ids, bool replaysToo, Action<LaneItem> dropped)
    {
        foreach (var (key, line) in _lines.ToList())
        {
            line.Failing?.ExceptWith(ids);
            var kept = line.Items.UnorderedItems.Where(
                entry => (entry.Element.Claim?.IsReplay == true && !replaysToo) || !ids.Contains(entry.Priority)).ToList();
            foreach (var (gone, _) in line.Items.UnorderedItems.ToList().Except(kept)) dropped(gone);
            Waiting -= line.Items.Count - kept.Count;
            line.Items = new PriorityQueue<LaneItem, EventId>(kept);
            Settle(key, line);
        }
    }

    private void End(DueEvent due, bool? failed)
    {
        if (due.OrderingKey is not { Length: > 0 } key || !_lines.TryGetValue(key, out var line)) return;
        line.InFlight--;
        if (failed == true) line.Fail(due.Id, time.GetTimestamp());
        else if (failed == false) line.Failing?.Remove(due.Id);
        Settle(key, line);
    }

    private void Settle(string key, Line line)
    {
        if (line.Failing is not { Count: > 0 }) line.IsLate = false;
        if (line.Items.Count == 0)
        {
            if (line.InFlight == 0 && line.Failing is not { Count: > 0 }) _lines.Remove(key);
        }
        else if (IsBlocked(line))
        {
            NoteEnd(line);
        }
        else
        {
            _ready.Enqueue(key);
        }
    }

    /// <summary>Whether the line's next item must wait.</summary>
    private bool IsBlocked(Line line) => IsBlocked(line, line.Items.TryPeek(out _, out var first) ? first : default);

    /// <summary>An event that has failed itself waits for earlier failures only.</summary>
    private bool IsBlocked(Line line, EventId id) =>
        _isOrdered && (line.InFlight > 0 || (!line.IsLate && line.IsBehind(id) && !HasEnded(line)));

    private bool HasEnded(Line line) => time.GetElapsedTime(line.FailedAt) >= longestWait;

    private void NoteEnd(Line line)
    {
        if (line.Failing is not { Count: > 0 }) return;
        _nextEnd = Math.Min(_nextEnd, line.FailedAt + (long)(longestWait.TotalSeconds * time.TimestampFrequency));
    }

    private void EndWaits()
    {
        _nextEnd = long.MaxValue;
        foreach (var (key, line) in _lines)
        {
            if (line.Items.Count == 0) continue;
            if (!IsBlocked(line)) _ready.Enqueue(key);
            else if (!HasEnded(line)) NoteEnd(line);
        }
    }

    private Line LineOf(string key)
    {
        if (_lines.TryGetValue(key, out var line)) return line;
        if (_lines.Count >= ManyLines)
        {
            foreach (var (old, idle) in _lines.ToList())
            {
                if (idle.InFlight == 0 && idle.Items.Count == 0 && HasEnded(idle)) _lines.Remove(old);
            }
        }

        return _lines[key] = new Line();
    }

    /// <summary>The events of one key.</summary>
    private sealed class Line
    {
        /// <summary>Tries in flight: one, or more if several were started while nothing was ordered.</summary>
        public int InFlight { get; set; }

        /// <summary>Events that have failed and are to be tried again.</summary>
        public HashSet<EventId>? Failing { get; private set; }

        /// <summary>When the latest of them failed, as a timestamp of the time provider.</summary>
        public long FailedAt { get; private set; }

        /// <summary>Whether so much waits that failures are not waited for.</summary>
        public bool IsLate { get; set; }

        /// <summary>What waits, the earliest event first.</summary>
        public PriorityQueue<LaneItem, EventId> Items { get; set; } = new();

        /// <summary>Whether an earlier event than this one has failed.</summary>
        public bool IsBehind(EventId id)
        {
            foreach (var failed in Failing ?? [])
            {
                if (failed < id) return true;
            }

            return false;
        }

        /// <summary>The first failure of an event begins its wait; the later ones do not prolong it.</summary>
        public void Fail(EventId id, long at)
        {
            if ((Failing ??= []).Add(id)) FailedAt = at;
        }
    }
}

/// <summary>What waits for its try.</summary>
/// <param name="Event">What to send.</param>
/// <param name="Claim">The claim of a retry or a replay; null for the first try.</param>
/// <param name="StartBefore">When a claim is too old to be used.</param>
internal readonly record struct LaneItem(DueEvent Event, ClaimedRetry? Claim, DateTimeOffset StartBefore);
