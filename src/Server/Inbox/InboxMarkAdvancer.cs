using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Server.Inbox;

/// <summary>
/// Moves the marks of organizations whose pending pages are slow, in the background: a chunk of each in turn, after which it rests for as
/// long as the chunk took. An organization whose mark has come to its end is looked at again after <see cref="Pause"/> at the earliest.
/// </summary>
internal sealed partial class InboxMarkAdvancer(IEventStore store, TimeProvider time, ILogger<InboxMarkAdvancer> logger) : JobRunner(time)
{
    /// <summary>
    /// The time of a page from which its organization is worth a look: a fifth of what a page may take (docs/performance.md).
    /// </summary>
    public static readonly TimeSpan DefaultSlowPage = TimeSpan.FromMilliseconds(10);

    /// <summary>Between two looks at an organization: a mark that a pending event holds is not tried with every page.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    /// <summary>Events of a chunk: some 100 ms of the store's time.</summary>
    private const int ChunkSize = 20_000;

    /// <summary>Organizations that are remembered; with more slow ones at once, the rest is offered again by its next page.</summary>
    private const int MostOrganizations = 1_000;

    private readonly Lock _gate = new();
    private readonly Queue<int> _waiting = new();
    private readonly HashSet<int> _isWaiting = [];
    private readonly Dictionary<int, long> _ended = [];

    /// <summary>Which pages are slow; set by tests alone, whose machines are as fast as they are.</summary>
    public TimeSpan SlowPage { get; set; } = DefaultSlowPage;

    /// <summary>A page of the organization's pending events took this long. Never blocks, never throws.</summary>
    public void Offer(int organizationNo, TimeSpan taken)
    {
        if (taken < SlowPage) return;
        lock (_gate)
        {
            if (_isWaiting.Count >= MostOrganizations) return;
            if (_ended.TryGetValue(organizationNo, out var ended) && Time.GetElapsedTime(ended) < Pause) return;
            if (!_isWaiting.Add(organizationNo)) return;
            _waiting.Enqueue(organizationNo);
        }

        Wake();
    }

    /// <inheritdoc/>
    protected override async Task<bool> RunOnceAsync(CancellationToken stop)
    {
        if (Next() is not { } organizationNo) return false;
        var hasMore = false;
        var start = Time.GetTimestamp();
        try
        {
            hasMore = await store.AdvanceInboxMarkAsync(organizationNo, ChunkSize, stop);
        }
        finally
        {
            Return(organizationNo, hasMore);
        }

        var taken = Time.GetElapsedTime(start);
        Log.Advanced(logger, organizationNo, taken, hasMore);
        await Task.Delay(taken, Time, stop);
        return true;
    }

    /// <inheritdoc/>
    protected override void LogNotDone(Exception? unexpected, string reason, TimeSpan wait) =>
        Log.NotDone(logger, unexpected, reason, wait);

    private int? Next()
    {
        lock (_gate) return _waiting.TryDequeue(out var organizationNo) ? organizationNo : null;
    }

    /// <summary>To the end of the queue, or out of it; also after a failure, since a slow page brings it back.</summary>
    private void Return(int organizationNo, bool hasMore)
    {
        lock (_gate)
        {
            if (hasMore)
            {
                _waiting.Enqueue(organizationNo);
                return;
            }

            _isWaiting.Remove(organizationNo);
            if (_ended.Count >= MostOrganizations) _ended.Clear();
            _ended[organizationNo] = Time.GetTimestamp();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.InboxMarkAdvancerAdvanced, LogLevel.Debug,
            "The inbox mark of organization {Organization} was moved in {Taken}; more to do: {HasMore}")]
        public static partial void Advanced(ILogger logger, int organization, TimeSpan taken, bool hasMore);

        [LoggerMessage(
            LogEvents.InboxMarkAdvancerNotDone, LogLevel.Warning,
            "Inbox marks cannot be moved ({Reason}), so pending pages may be slow; tried again in {Wait}")]
        public static partial void NotDone(ILogger logger, Exception? exception, string reason, TimeSpan wait);
    }
}
