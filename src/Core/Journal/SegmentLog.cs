using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// The segments on disk, oldest first. The journal writer adds at the end, the one reader goes along, what is stored long enough is
/// deleted at the front.
/// </summary>
internal sealed class SegmentLog(IDisk disk) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Segment> _segments = new();

    /// <summary>Adds the newest; the one before it is sealed by then.</summary>
    public void Add(Segment segment)
    {
        lock (_gate) _segments.AddLast(segment);
    }

    /// <summary>The segment that follows; the first for null; null when there is none yet.</summary>
    public Segment? After(Segment? segment)
    {
        lock (_gate) return segment is null ? _segments.First?.Value : _segments.Find(segment)?.Next?.Value;
    }

    /// <summary>All of them, oldest first.</summary>
    public IReadOnlyList<Segment> All
    {
        get
        {
            lock (_gate) return [.. _segments];
        }
    }

    /// <summary>Keeps a wholly stored segment from being deleted; false when it is not stored yet, or gone.</summary>
    public bool TryHold(Segment segment, out bool isGone)
    {
        lock (_gate)
        {
            isGone = !_segments.Contains(segment);
            return !isGone && (segment.IsHeld = segment is { IsSealed: true, StoredAt: not null });
        }
    }

    /// <summary>Lets it go on, with the file that took its own one's place, if one did.</summary>
    public void Release(Segment segment, IDiskFile? replacement)
    {
        lock (_gate)
        {
            segment.IsHeld = false;
            if (replacement is not null) segment.Replace(replacement);
        }
    }

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _segments.Count;
        }
    }

    /// <summary>
    /// Deletes from the front what was wholly stored before <paramref name="storedBefore"/> (a timestamp); the newest stays always.
    /// Returns how many.
    /// </summary>
    public int Trim(long storedBefore)
    {
        var deleted = 0;
        while (true)
        {
            Segment first;
            lock (_gate)
            {
                if (_segments.Count < 2) return deleted;
                first = _segments.First!.Value;
                if (first.IsHeld || !first.IsSealed || first.StoredAt is not { } at || at > storedBefore) return deleted;
                _segments.RemoveFirst();
            }

            first.Dispose();
            disk.Delete(first.Path);
            Failpoint.Pass(Failpoint.SegmentDeleted);
            deleted++;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var segment in _segments) segment.Dispose();
            _segments.Clear();
        }
    }
}
