namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// Up to where the shard's order has come in one respect (synced, stored), as a position (<see cref="Events.EventId.High"/>), with those
/// who wait for it. Submissions wait in a FIFO, because
/// they come in order (a duplicate that waits for its first may be told later than it could be, never earlier); reads look again at each
/// advance. After <see cref="Fail"/> it never advances again.
/// </summary>
internal sealed class Watermark
{
    private readonly Lock _gate = new();
    private readonly Queue<(ulong Position, long Since, Submission Waiter)> _waiters = new();
    private readonly HashSet<Promise> _readers = [];
    private ulong _position;
    private bool _failed;

    /// <summary>Everything up to here has come that far.</summary>
    public ulong Position => Volatile.Read(ref _position);

    /// <summary>Whether it will never advance again.</summary>
    public bool HasFailed => Volatile.Read(ref _failed);

    /// <summary>Submissions that wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _waiters.Count;
        }
    }

    /// <summary>Moves forward and completes those who waited for it. Never goes back.</summary>
    public void Advance(ulong position)
    {
        lock (_gate)
        {
            if (position <= _position || _failed) return;
            Volatile.Write(ref _position, position);
            WakeReaders();
        }

        while (true)
        {
            Submission waiter;
            lock (_gate)
            {
                if (!_waiters.TryPeek(out var next) || next.Position > position) return;
                waiter = _waiters.Dequeue().Waiter;
            }

            waiter.CompleteDecided();
        }
    }

    /// <summary>Says that it will never advance again: all who wait are told that the outcome is unknown.</summary>
    public void Fail()
    {
        lock (_gate)
        {
            Volatile.Write(ref _failed, true);
            WakeReaders();
        }

        Expire(long.MaxValue);
    }

    /// <summary>Completes the submission's decided receipt when the position is reached; at once when it is already.</summary>
    /// <param name="position">What it waits for.</param>
    /// <param name="now">Timestamp, for <see cref="Expire"/>.</param>
    /// <param name="waiter">The submission, whose receipt is decided.</param>
    public void Wait(ulong position, long now, Submission waiter)
    {
        lock (_gate)
        {
            if (_position < position && !_failed)
            {
                _waiters.Enqueue((position, now, waiter));
                return;
            }
        }

        if (position <= Position) waiter.CompleteDecided();
        else waiter.Complete(Receipt.Unknown);
    }

    /// <summary>
    /// Tells the submissions that have waited since before <paramref name="since"/> (timestamp) that the outcome is unknown.
    /// </summary>
    public void Expire(long since)
    {
        while (true)
        {
            Submission waiter;
            lock (_gate)
            {
                if (!_waiters.TryPeek(out var next) || next.Since >= since) return;
                waiter = _waiters.Dequeue().Waiter;
            }

            waiter.Complete(Receipt.Unknown);
        }
    }

    /// <summary>Waits until the position is reached; false on failure or when the time is over first.</summary>
    public async ValueTask<bool> WaitAsync(ulong position, TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (Position < position)
        {
            var left = atMost - time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero || HasFailed) return Position >= position; // it may have advanced just before it failed
            await ChangeAsync(position, left, time, cancellationToken);
            if (Position < position) cancellationToken.ThrowIfCancellationRequested();
        }

        return true;
    }

    /// <summary>
    /// Returns at the next advance or failure, when the time is over, or cancelled; at once when there is nothing to wait for.
    /// </summary>
    private async ValueTask ChangeAsync(ulong position, TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        Promise reader;
        lock (_gate)
        {
            if (_position >= position || _failed) return;
            _readers.Add(reader = new Promise());
        }

        await reader.WaitAsync(atMost, time, cancellationToken);
        lock (_gate) _readers.Remove(reader);
    }

    private void WakeReaders()
    {
        foreach (var reader in _readers) reader.TrySetResult(); // their continuations run elsewhere
        _readers.Clear();
    }
}
