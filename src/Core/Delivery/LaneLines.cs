namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Where lanes wait for a place: a line for each standing, and beside it, for each organization that has its share of the places, those of
/// its lanes that were sent away because of that, oldest first. They come back one by one with the places that the organization returns. A
/// lane waits in one list at most, by a node of its own (<see cref="Lane.Turn"/>), so every step is O(1) and allocates nothing. Not safe
/// for concurrent use: <see cref="Turns"/> guards it.
/// </summary>
internal sealed class LaneLines(PlaceShares shares)
{
    private static readonly LaneStanding[] Standings = Enum.GetValues<LaneStanding>();

    private readonly LinkedList<Lane>[] _lines = [.. Standings.Select(static _ => new LinkedList<Lane>())];

    /// <summary>By standing and organization; none of these lists is empty.</summary>
    private readonly Dictionary<int, LinkedList<Lane>>[] _away =
        [.. Standings.Select(static _ => new Dictionary<int, LinkedList<Lane>>())];

    /// <summary>Lists that have become empty, to be used again: never more than were in use together.</summary>
    private readonly Stack<LinkedList<Lane>> _unused = new();

    /// <summary>
    /// Lets a lane wait, unless it does already: behind those of its organization that were sent away, if there are any, else at the end of
    /// its line. One that was sent away for a standing that it has no more changes over.
    /// </summary>
    public void Join(Lane lane)
    {
        var (no, standing) = (lane.Endpoint.OrganizationNo, lane.Standing);
        if (lane.Turn.List is not null)
        {
            if (AwayAs(no, lane) is not { } former || former == standing) return; // a line is changed when the lane's turn comes
            Leave(no, former, lane);
        }

        if (_away[(int)standing].TryGetValue(no, out var waiting)) waiting.AddLast(lane.Turn);
        else _lines[(int)standing].AddLast(lane.Turn);
    }

    /// <summary>Takes the first of a line out; null when nobody stands there.</summary>
    public Lane? Next(LaneStanding standing)
    {
        var line = _lines[(int)standing];
        if (line.First is not { } first) return null;
        line.Remove(first);
        return first.Value;
    }

    /// <summary>A lane's organization has its share: it waits until a place of that comes back.</summary>
    public void SendAway(Lane lane, LaneStanding standing)
    {
        var (no, away) = (lane.Endpoint.OrganizationNo, _away[(int)standing]);
        if (!away.TryGetValue(no, out var waiting)) away.Add(no, waiting = _unused.TryPop(out var used) ? used : new LinkedList<Lane>());
        waiting.AddLast(lane.Turn);
    }

    /// <summary>
    /// The organization has returned a place: of each standing, the first that was sent away is in line again if it may have one.
    /// </summary>
    public void BringBack(int organizationNo)
    {
        foreach (var standing in Standings) BringBack(organizationNo, standing);
    }

    /// <summary>The same of one standing.</summary>
    public void BringBack(int organizationNo, LaneStanding standing)
    {
        var away = _away[(int)standing];
        if (away.Count == 0 || !away.ContainsKey(organizationNo) || !shares.MayTake(organizationNo, standing)) return;
        while (away.TryGetValue(organizationNo, out var waiting))
        {
            var lane = waiting.First!.Value;
            Leave(organizationNo, standing, lane);
            if (lane.IsRemoved) continue;
            if (lane.Standing == standing)
            {
                _lines[(int)standing].AddLast(lane.Turn);
                return;
            }

            Join(lane);
        }
    }

    /// <summary>The standing that a waiting lane was sent away with; null when it stands in a line.</summary>
    private LaneStanding? AwayAs(int organizationNo, Lane lane)
    {
        foreach (var standing in Standings)
        {
            if (_away[(int)standing].TryGetValue(organizationNo, out var waiting) && waiting == lane.Turn.List) return standing;
        }

        return null;
    }

    private void Leave(int organizationNo, LaneStanding standing, Lane lane)
    {
        var waiting = _away[(int)standing][organizationNo];
        waiting.Remove(lane.Turn);
        if (waiting.Count > 0) return;
        _away[(int)standing].Remove(organizationNo);
        _unused.Push(waiting);
    }
}
