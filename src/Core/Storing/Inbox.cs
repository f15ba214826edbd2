using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Storing;

/// <summary>Which events of an organization to list.</summary>
internal sealed record InboxQuery
{
    /// <summary>The organization.</summary>
    public required int OrganizationNo { get; init; }

    /// <summary>Events in one page, 1 to 1,000.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>Id of the last event seen; exclusive, in the direction of the order. Null = from the start.</summary>
    public EventId? Cursor { get; init; }

    /// <summary>Events to pass over, 0 to 10,000.</summary>
    public int Offset { get; init; }

    /// <summary>Only events of this status; null = all.</summary>
    public EventStatus? Status { get; init; }

    /// <summary>Only events of exactly this type; null = all.</summary>
    public string? Type { get; init; }

    /// <summary>Only events from this id on: earlier ones have expired, removed already or not. Null = all.</summary>
    public EventId? NotBefore { get; init; }

    /// <summary>Only events before this id; null = all.</summary>
    public EventId? Before { get; init; }

    /// <summary>Oldest first instead of newest first.</summary>
    public bool Ascending { get; init; }

    /// <summary>Whether <see cref="InboxPage.Total"/> is wanted (a count costs a scan).</summary>
    public bool IncludeTotal { get; init; }
}

/// <summary>One page of an inbox.</summary>
/// <param name="Events">In the asked order.</param>
/// <param name="HasMore">Whether at least one more event follows.</param>
/// <param name="Total">All events that match, only if asked for.</param>
internal sealed record InboxPage(IReadOnlyList<StoredEvent> Events, bool HasMore, long? Total)
{
    /// <summary>
    /// Payload bytes at which a page ends, however many events were asked for: the event that reaches it is the page's last, so a page is
    /// never empty while there is something to show.
    /// </summary>
    public const int EndsAtBytes = 4 << 20;

    /// <summary>Payload bytes of its events.</summary>
    public long PayloadBytes => Events.Sum(stored => (long)stored.Payload.Length);
}

/// <summary>A stored event with where it stands.</summary>
internal sealed record StoredEvent
{
    /// <summary>Its id, which tells when it was accepted.</summary>
    public required EventId Id { get; init; }

    /// <summary>Its type.</summary>
    public required string Type { get; init; }

    /// <summary>Its payload as sent: UTF-8 JSON.</summary>
    public required byte[] Payload { get; init; }

    /// <summary>Its dedup id, if any.</summary>
    public string? DedupId { get; init; }

    /// <summary>Its ordering key, if any.</summary>
    public string? OrderingKey { get; init; }

    /// <summary>The trace it belongs to, if its producer said one.</summary>
    public TraceParent TraceParent { get; init; }

    /// <summary>Where it stands.</summary>
    public required EventStatus Status { get; init; }

    /// <summary>Webhook tries made so far, over all endpoints.</summary>
    public int Attempts { get; init; }

    /// <summary>HTTP status of the latest try, if it was answered.</summary>
    public int? ResponseStatus { get; init; }

    /// <summary>In words why the latest try failed, if it did.</summary>
    public string? LastError { get; init; }

    /// <summary>When a consumer acknowledged it, if one did.</summary>
    public DateTimeOffset? AcknowledgedAt { get; init; }

    /// <summary>When its status last changed; its acceptance if never.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>One event with its deliveries.</summary>
/// <param name="Event">The event.</param>
/// <param name="Deliveries">One per endpoint that it was or will be sent to and that has recorded something.</param>
internal sealed record EventDetail(StoredEvent Event, IReadOnlyList<Delivery> Deliveries);

/// <summary>What happened between one event and one endpoint.</summary>
internal sealed record Delivery
{
    /// <summary>The endpoint.</summary>
    public required Guid EndpointId { get; init; }

    /// <summary>Its URL now; null when the endpoint is gone.</summary>
    public string? Url { get; init; }

    /// <summary><see cref="EventStatus.Failed"/> while a retry waits, else the outcome.</summary>
    public required EventStatus Status { get; init; }

    /// <summary>When the next try is due; null when none is.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>All recorded tries, oldest first.</summary>
    public required IReadOnlyList<AttemptRecord> Attempts { get; init; }
}

/// <summary>One recorded webhook try.</summary>
internal sealed record AttemptRecord
{
    /// <summary>1 for the first.</summary>
    public required int Number { get; init; }

    /// <summary>When it started.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>HTTP status, or null when there was no answer.</summary>
    public int? ResponseStatus { get; init; }

    /// <summary>Milliseconds from start to the end of the answer or the failure.</summary>
    public required int LatencyMilliseconds { get; init; }

    /// <summary>In words why it failed; null on success.</summary>
    public string? Error { get; init; }

    /// <summary>The first 4 KB of the answer, sanitised to text.</summary>
    public string? ResponseBody { get; init; }
}
