using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Finds due retries, claims as many as their lanes can start, and hands them over: when the next one is due, when a lane with more due
/// ones has room again, and at least every 30 s, so that nothing due is ever forgotten.
/// </summary>
internal sealed partial class RetrySweep(
    IDeliveryStore store, DeliveryOptions options, TimeProvider time, ILogger logger, Func<IReadOnlyList<Lane>> lanes, Func<bool> mayClaim,
    Action<Lane> advance)
{
    /// <summary>The longest time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>Between two looks when something is due that cannot be claimed (its lane is full or paused).</summary>
    private static readonly TimeSpan BusyInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    /// <summary>What a claim outlives the deadline of its try by: waiting for a place before it, and recording after it.</summary>
    private static readonly TimeSpan LeaseMargin = TimeSpan.FromSeconds(60);

    /// <summary>How long a stop waits for claims that are being made: without the answer nobody could give them back.</summary>
    private static readonly TimeSpan ClaimsEnd = TimeSpan.FromSeconds(2);

    private readonly WakeSignal _wake = new();
    private readonly Backoff _backoff = new(time);
    private long _nextDue = long.MaxValue;
    private int _offset;

    /// <summary>A retry was recorded that is due then: an earlier one than awaited wakes the sweep.</summary>
    public void Due(DateTimeOffset at)
    {
        if (at.UtcTicks >= Volatile.Read(ref _nextDue)) return;
        Volatile.Write(ref _nextDue, at.UtcTicks);
        _wake.Set();
    }

    /// <summary>A lane that had more due than it had room for has room again.</summary>
    public void RoomAgain() => _wake.Set();

    /// <summary>Sweeps until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var claiming = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var ending = stop.UnsafeRegister(static state => ((CancellationTokenSource)state!).CancelAfter(ClaimsEnd), claiming);
        while (!stop.IsCancellationRequested)
        {
            var wait = BusyInterval;
            try
            {
                if (mayClaim()) wait = await SweepAsync(stop, claiming.Token);
                _backoff.Succeeded();
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                var isNews = _backoff.IsGrowing;
                wait = _backoff.Failed();
                if (isNews) Log.SweepFailed(logger, exception is Storing.StoreException ? null : exception, exception.Message, wait);
            }

            if (wait > TimeSpan.Zero) await _wake.WaitAsync(wait, time, stop);
        }
    }

    /// <summary>Claims once; returns how long to wait for the next look.</summary>
    private async Task<TimeSpan> SweepAsync(CancellationToken stop, CancellationToken claiming)
    {
        // What is recorded as due from here on wakes the sweep; what was before is seen below.
        Volatile.Write(ref _nextDue, long.MaxValue);
        var (open, rooms) = Rooms();
        var claimed = rooms.Count == 0 ? 0 : await ClaimAsync(open, rooms, claiming);
        var next = await store.NextRetryAsync(stop);
        var wait = next is null ? Interval : next.Value - time.GetUtcNow();
        if (wait > Interval) wait = Interval;
        var overdue = wait <= TimeSpan.Zero;
        if (next is { } at && !overdue && at.UtcTicks < Volatile.Read(ref _nextDue)) Volatile.Write(ref _nextDue, at.UtcTicks);
        // Timers count whole milliseconds: less would be no wait at all.
        if (!overdue) return wait < ShortestWait ? ShortestWait : wait;
        return claimed > 0 ? TimeSpan.Zero : BusyInterval;
    }

    private async Task<int> ClaimAsync(List<Lane> open, List<ClaimRoom> rooms, CancellationToken cancellationToken)
    {
        foreach (var lane in open) lane.BeginClaim();
        ILookup<Guid, ClaimedRetry> byEndpoint = Array.Empty<ClaimedRetry>().ToLookup(static claim => claim.EndpointId);
        var now = time.GetUtcNow();
        var lease = now + options.Timeout + LeaseMargin;
        try
        {
            var claimed = await store.ClaimRetriesAsync(now, lease, options.MaxInFlight, rooms, cancellationToken);
            Failpoint.Pass(Failpoint.DeliveryClaimed);
            byEndpoint = claimed.ToLookup(static claim => claim.EndpointId);
            return claimed.Count;
        }
        finally
        {
            for (var i = 0; i < open.Count; i++)
            {
                var claims = byEndpoint[rooms[i].EndpointId].ToList();
                // Half the margin is for recording.
                open[i].EndClaim(claims, lease - options.Timeout - LeaseMargin / 2, moreDue: claims.Count >= rooms[i].Count);
                if (claims.Count > 0) advance(open[i]);
            }
        }
    }

    /// <summary>
    /// All lanes with room, beginning with another one each time, so that a limit on all does not always favour the same.
    /// </summary>
    private (List<Lane> Open, List<ClaimRoom> Rooms) Rooms()
    {
        var all = lanes();
        var open = new List<Lane>();
        var rooms = new List<ClaimRoom>();
        for (var i = 0; i < all.Count; i++)
        {
            var lane = all[(i + _offset) % all.Count];
            var room = lane.RetryRoom;
            if (room == 0) continue;
            open.Add(lane);
            rooms.Add(new ClaimRoom(lane.Endpoint.OrganizationNo, lane.Endpoint.Id, room));
        }

        _offset = all.Count == 0 ? 0 : (_offset + 1) % all.Count;
        return (open, rooms);
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventId = LogEvents.RetrySweepSweepFailed, Level = LogLevel.Warning,
            Message = "Cannot look for due webhook retries ({Reason}); next look in {Wait}")]
        public static partial void SweepFailed(ILogger logger, Exception? exception, string reason, TimeSpan wait);
    }
}
