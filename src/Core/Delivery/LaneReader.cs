using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Reads pages of events for lanes that want some, a few lanes at a time, in the order of asking. This is the only way events reach a lane;
/// a shortcut through memory would end a read just the same.
/// </summary>
internal sealed partial class LaneReader(
    IDeliveryStore store, TimeProvider time, ILogger logger, Action<Lane> advance, Action<Lane> cursorMoved)
{
    /// <summary>Reads at the same time: few, since the store is shared with the request path's writer.</summary>
    private const int Readers = 4;

    private readonly Channel<Lane> _asked = Channel.CreateUnbounded<Lane>();
    private int _isFailing;

    /// <summary>Lets the lane read if it wants to. Never blocks.</summary>
    public void Offer(Lane lane)
    {
        if (!lane.TryBeginRead()) return;
        // Refused only after the stop, when nobody reads any more.
        _asked.Writer.TryWrite(lane);
    }

    /// <summary>Reads until stopped.</summary>
    public Task RunAsync(CancellationToken stop)
    {
        stop.UnsafeRegister(static state => ((LaneReader)state!)._asked.Writer.TryComplete(), this);
        return Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => ReadLanesAsync(stop)));
    }

    /// <summary>No token on the channel's reads: in .NET 10 a cancelled one can lose an item (dotnet/runtime#132094).</summary>
    private async Task ReadLanesAsync(CancellationToken stop)
    {
        var backoff = new Backoff(time);
        while (await _asked.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (!stop.IsCancellationRequested && _asked.Reader.TryRead(out var lane)) await ReadAsync(lane, backoff, stop);
            if (stop.IsCancellationRequested) return;
        }
    }

    private async Task ReadAsync(Lane lane, Backoff backoff, CancellationToken stop)
    {
        LanePage? page = null;
        try
        {
            page = await store.ReadLaneAsync(lane.NextRead, stop);
            backoff.Succeeded();
            Volatile.Write(ref _isFailing, 0);
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // The lane stays as it is; a new start reads again from its cursor.
        }
        catch (Exception exception)
        {
            var wait = backoff.Failed();
            // Once, whichever of the readers meets it first, until a read has succeeded.
            if (Interlocked.Exchange(ref _isFailing, 1) == 0) Log.ReadFailed(logger, Unexpected(exception), exception.Message);
            await backoff.WaitAsync(wait, stop);
        }

        if (lane.EndRead(page)) cursorMoved(lane);
        advance(lane);
    }

    /// <summary>A store that is away is told by its message; anything else keeps its stack trace.</summary>
    private static Exception? Unexpected(Exception exception) => exception is Storing.StoreException ? null : exception;

    private static partial class Log
    {
        [LoggerMessage(
            EventId = LogEvents.LaneReaderReadFailed, Level = LogLevel.Warning,
            Message = "Cannot read events for webhooks ({Reason}); reading is tried again until it succeeds")]
        public static partial void ReadFailed(ILogger logger, Exception? exception, string reason);
    }
}
