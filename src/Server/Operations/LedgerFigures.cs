using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// The ledger over all organizations, as figures. Counting costs a scan of the store's rows, so it is done in the background and only when
/// somebody has asked for figures: not within <see cref="Interval"/> of the last count, and never more than a two-hundredth of the time.
/// Whoever asks gets what was counted last and does not wait; nothing before the first count has ended. While the store is away the last
/// count stays.
/// </summary>
internal sealed partial class LedgerFigures(
    ILedgerStore store, Func<bool> isReady, TimeProvider time, ILogger<LedgerFigures> logger) : IAsyncDisposable
{
    /// <summary>Between two counts, at the least.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    /// <summary>Of a count's time, how many times it is waited until the next.</summary>
    private const int Pause = 200;

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private Task _counting = Task.CompletedTask;
    private TimeSpan _pause;
    private long _endedAt;
    private bool _hasFailed;
    private IReadOnlyList<(string State, long Events)> _last = [];
    private long _lastAt;

    /// <summary>Seconds since the count that is shown; 0 while there is none.</summary>
    public long AgeSeconds
    {
        get
        {
            lock (_lock) return _last.Count == 0 ? 0 : (long)time.GetElapsedTime(_lastAt).TotalSeconds;
        }
    }

    /// <summary>The last count by state; starts another one if it is time.</summary>
    public IReadOnlyList<(string State, long Events)> Read()
    {
        lock (_lock)
        {
            var isTime = _pause == TimeSpan.Zero || time.GetElapsedTime(_endedAt) >= _pause;
            if (isTime && _counting.IsCompleted && !_stop.IsCancellationRequested && isReady()) _counting = Task.Run(CountAsync);
            return _last;
        }
    }

    /// <summary>Ends a count that is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync(); // from here on no count begins
        Task counting;
        lock (_lock) counting = _counting;
        await counting;
        _stop.Dispose();
    }

    private async Task CountAsync()
    {
        var start = time.GetTimestamp();
        try
        {
            Show(await store.ReadTotalsAsync(_stop.Token), start);
            _hasFailed = false;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped.
        }
        catch (Exception error)
        {
            if (!_hasFailed) Log.NotRead(logger, error is StoreException ? null : error, error.Message);
            _hasFailed = true;
        }

        lock (_lock)
        {
            _endedAt = time.GetTimestamp();
            var pause = time.GetElapsedTime(start) * Pause;
            _pause = pause > Interval ? pause : Interval;
        }
    }

    private void Show(Ledger all, long at)
    {
        lock (_lock)
        {
            _lastAt = at;
            _last =
            [
                ("accepted", all.Accepted), ("pending", all.Pending), ("delivered", all.Delivered), ("acknowledged", all.Acknowledged),
                ("dead", all.Dead), ("set_aside", all.SetAside), ("expired", all.Expired), ("erased", all.Erased),
            ];
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.LedgerFiguresNotRead, LogLevel.Warning,
            "The ledger of all organizations could not be counted for the figures, which is tried again: {Reason}")]
        public static partial void NotRead(ILogger logger, Exception? failure, string reason);
    }
}
