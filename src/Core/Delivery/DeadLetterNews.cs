using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Tells organizations of dead letters. Whether a result that ends a schedule makes one is known to the store alone: the event may have
/// been delivered before, or be asked for once more (see <see cref="DeliveryPlan"/>).
/// </summary>
internal sealed partial class DeadLetterNews(IDeliveryStore store, TellOrganization tell, ILogger logger)
{
    /// <summary>
    /// Tells of those results that make dead letters, each with what to tell (null = nothing is told of it). An answer for each; null when
    /// the store could not be asked. Never throws.
    /// </summary>
    public async Task<IReadOnlyList<NewsAnswer>?> TellAsync(IReadOnlyList<(DeliveryResult Result, OperationalEvent? Told)> ended)
    {
        try
        {
            var made = await store.FindDeadLettersAsync([.. ended.Select(static pair => pair.Result)], CancellationToken.None);
            var dead = new HashSet<DeliveryResult>(made, ReferenceEqualityComparer.Instance);
            return await Task.WhenAll(
                ended.Select(pair => dead.Contains(pair.Result) ? TellAsync(pair.Told) : Task.FromResult(NewsAnswer.NoDeadLetter)));
        }
        catch (Exception exception)
        {
            Log.NotAsked(logger, exception is StoreException ? null : exception, ended.Count, exception.Message);
            return null;
        }
    }

    private async Task<NewsAnswer> TellAsync(OperationalEvent? told) =>
        told is null || await tell(told) ? NewsAnswer.DeadLetter : NewsAnswer.NotTaken;

    private static partial class Log
    {
        [LoggerMessage(
            EventId = LogEvents.DeadLetterNewsNotAsked, Level = LogLevel.Information,
            Message = "Whether {Count} webhooks are dead letters cannot be found out now ({Reason})")]
        public static partial void NotAsked(ILogger logger, Exception? exception, int count, string reason);
    }
}

/// <summary>What came of telling a result that ends a schedule.</summary>
internal enum NewsAnswer
{
    /// <summary>It makes no dead letter, so nothing was told.</summary>
    NoDeadLetter = 0,

    /// <summary>It makes a dead letter, and that is told (or is not to be told).</summary>
    DeadLetter,

    /// <summary>That it makes a dead letter could not be told: it must not be recorded yet.</summary>
    NotTaken,
}
