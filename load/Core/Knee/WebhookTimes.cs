using System.Diagnostics;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Receiving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Knee;

/// <summary>Joins the times at which events were answered to those at which their webhooks came.</summary>
internal sealed class WebhookTimes
{
    private readonly Lock _lock = new();
    private readonly Dictionary<EventId, long> _accepted = [];
    private readonly HashSet<EventId> _arrived = [];
    private readonly List<Delivery> _deliveries = [];
    private readonly Dictionary<EventId, long> _unmatched = [];
    private List<TimeSpan> _latencies = [];

    /// <summary>All webhooks so far, repeats included.</summary>
    public IReadOnlyList<Delivery> Deliveries => _deliveries;

    /// <summary>Events accepted whose webhook has not come.</summary>
    public int Missing
    {
        get
        {
            lock (_lock) return _accepted.Count;
        }
    }

    /// <summary>Notes an event's 202; on any thread.</summary>
    public void NoteAccepted(EventId id, long timestamp)
    {
        lock (_lock) _accepted[id] = timestamp;
    }

    /// <summary>Notes webhooks. One can come before its event's answer is read: it then took no time.</summary>
    public void NoteArrivals(IEnumerable<Arrival> arrivals)
    {
        lock (_lock)
        {
            foreach (var (delivery, timestamp) in arrivals)
            {
                _deliveries.Add(delivery);
                if (_arrived.Add(delivery.EventId)) _unmatched[delivery.EventId] = timestamp;
            }

            foreach (var (id, timestamp) in _unmatched)
            {
                if (!_accepted.Remove(id, out var answered)) continue;
                _unmatched.Remove(id);
                _latencies.Add(timestamp > answered ? Stopwatch.GetElapsedTime(answered, timestamp) : TimeSpan.Zero);
            }
        }
    }

    /// <summary>The times from 202 to webhook since the last call.</summary>
    public List<TimeSpan> Take()
    {
        lock (_lock) return Interlocked.Exchange(ref _latencies, []);
    }
}
