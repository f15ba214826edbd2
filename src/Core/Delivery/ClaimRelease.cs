using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Gives back what lanes have claimed and not ended, when nothing of them runs any more: the next process, or another server, need not wait
/// for the leases to end.
/// </summary>
internal static partial class ClaimRelease
{
    /// <summary>How long it may take; what is not given back then is claimed again when its lease ends.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);

    /// <summary>Gives them back in one call of the store. Never throws: a failure is logged.</summary>
    public static async Task RunAsync(IDeliveryStore store, IReadOnlyList<Lane> lanes, TimeProvider time, ILogger logger)
    {
        List<HeldClaim> claims = [.. lanes.SelectMany(static lane => lane.Claims())];
        if (claims.Count == 0) return;
        try
        {
            using var bound = new CancellationTokenSource(Bound, time);
            await store.ReleaseRetriesAsync(claims, time.GetUtcNow(), bound.Token);
        }
        catch (Exception exception)
        {
            Log.NotReleased(logger, exception is Storing.StoreException ? null : exception, claims.Count, exception.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventId = LogEvents.ClaimReleaseNotReleased, Level = LogLevel.Warning,
            Message = "{Count} claimed webhook retries could not be given back ({Reason}); they are claimed again when their leases end")]
        public static partial void NotReleased(ILogger logger, Exception? exception, int count, string reason);
    }
}
