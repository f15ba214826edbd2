using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Receiving;

/// <summary>All deliveries that a receiver got, in order, and who waits for more of them.</summary>
internal sealed class DeliveryLog
{
    private readonly Lock _lock = new();
    private readonly List<Delivery> _deliveries = [];
    private readonly HashSet<EventId> _succeeded = [];
    private readonly List<(long Count, TaskCompletionSource Reached)> _waiters = [];

    /// <summary>Different events answered with 2xx.</summary>
    public long Succeeded
    {
        get
        {
            lock (_lock) return _succeeded.Count;
        }
    }

    /// <summary>A copy of the log.</summary>
    public IReadOnlyList<Delivery> ToList()
    {
        lock (_lock) return [.. _deliveries];
    }

    /// <summary>Completes when <paramref name="count"/> different events have been answered with 2xx.</summary>
    public Task WaitForAsync(long count, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (_succeeded.Count >= count) return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((count, reached));
            return reached.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Completes when each event that was accepted has been answered with 2xx, whatever else has come.</summary>
    public async Task WaitForAsync(Ledger sent, CancellationToken cancellationToken = default)
    {
        var ids = sent.Entries.Where(entry => entry.Status == 202).Select(entry => entry.Id).ToHashSet();
        while (true)
        {
            long count;
            lock (_lock)
            {
                var missing = ids.Count(id => !_succeeded.Contains(id));
                if (missing == 0) return;
                count = _succeeded.Count + missing; // At least as many must come; others may come in between.
            }

            await WaitForAsync(count, cancellationToken);
        }
    }

    /// <summary>Adds a delivery.</summary>
    public void Add(in Delivery delivery)
    {
        lock (_lock)
        {
            _deliveries.Add(delivery);
            if (delivery.Status is < 200 or >= 300 || !_succeeded.Add(delivery.EventId)) return;
            foreach (var (count, reached) in _waiters)
            {
                if (_succeeded.Count >= count) reached.TrySetResult();
            }

            _waiters.RemoveAll(waiter => waiter.Reached.Task.IsCompleted);
        }
    }
}
