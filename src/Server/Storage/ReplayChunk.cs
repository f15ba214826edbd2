using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage;

/// <summary>A delivery that a job has looked at.</summary>
/// <param name="EventId">The event.</param>
/// <param name="EndpointId">The endpoint.</param>
/// <param name="IsMeant">Whether the job is about it.</param>
internal readonly record struct ScannedDelivery(EventId EventId, Guid EndpointId, bool IsMeant);

/// <summary>What a delivery is to a job, as the statements say it.</summary>
internal enum ScanKind
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>One of those that it is about.</summary>
    Meant = 1,

    /// <summary>Passed over by the endpoint's lane: it is about it if the endpoint wants such an event.</summary>
    PassedOver = 2,
}

/// <summary>Decides the last kind.</summary>
internal static class ScanKinds
{
    /// <summary>Whether the job is about it.</summary>
    public static bool IsMeant(this ScanKind kind, Func<bool> isWanted) =>
        kind == ScanKind.Meant || (kind == ScanKind.PassedOver && isWanted());
}

/// <summary>What a job takes of the deliveries that it has looked at.</summary>
/// <param name="Deliveries">To queue, in order.</param>
/// <param name="Cursor">The last event looked at; null = none followed.</param>
/// <param name="IsLast">Whether nothing follows.</param>
internal readonly record struct ReplayChunk(IReadOnlyList<ScannedDelivery> Deliveries, EventId? Cursor, bool IsLast)
{
    /// <summary>
    /// Ends the chunk behind a whole event, because the cursor is an event: when the scan was full, the last event may have more deliveries
    /// and is left for the next one (unless it is the only one: no organization has as many endpoints as a scan takes deliveries).
    /// </summary>
    public static ReplayChunk Of(IReadOnlyList<ScannedDelivery> scanned, int limit)
    {
        if (scanned.Count == 0) return new ReplayChunk([], Cursor: null, IsLast: true);
        var isLast = scanned.Count < limit;
        var last = scanned[^1].EventId;
        var whole = isLast || scanned[0].EventId == last ? scanned : [.. scanned.Where(one => one.EventId != last)];
        return new ReplayChunk([.. whole.Where(static one => one.IsMeant)], whole[^1].EventId, isLast);
    }

    /// <summary>The job once this chunk of it is queued.</summary>
    public ReplayJob Move(ReplayJob job, DateTimeOffset now) => job with
    {
        Cursor = Cursor ?? job.Cursor,
        Queued = job.Queued + Deliveries.Count,
        FinishedAt = IsLast ? now.ToUniversalTime() : null,
    };
}
