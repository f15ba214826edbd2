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
                if (!first.IsSealed || first.StoredAt is not { } at || at > storedBefore) return deleted;
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
