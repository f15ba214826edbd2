namespace ZapierTriggers.Core.Delivery;

/// <summary>A replay of many deliveries that goes on in the background.</summary>
internal sealed record ReplayJob
{
    /// <summary>The most unfinished jobs that one organization may have.</summary>
    public const int MaxUnfinished = 20;

    /// <summary>Due times are this far apart: fewer, larger claims at the same rate.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    /// <summary>The organization.</summary>
    public required int OrganizationNo { get; init; }

    /// <summary>Public id; a UUIDv7, so that later jobs have higher ones.</summary>
    public required Guid Id { get; init; }

    /// <summary>What it sends.</summary>
    public required ReplayFilter Filter { get; init; }

    /// <summary>Sends a second, at the most.</summary>
    public required int RatePerSecond { get; init; }

    /// <summary>The last event that was looked at; null = it has not begun.</summary>
    public EventId? Cursor { get; init; }

    /// <summary>Deliveries that it was about when it was made.</summary>
    public required long Matched { get; init; }

    /// <summary>Deliveries queued so far.</summary>
    public long Queued { get; init; }

    /// <summary>When it was made. Dead letters that came later are not its business.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the last of it was queued; null = it runs.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>
    /// When the next deliveries are due, evenly from the job's start on; a chunk that comes late does not make up for the time lost.
    /// </summary>
    /// <param name="count">How many.</param>
    /// <param name="now">When they are queued.</param>
    public DateTimeOffset[] DueTimes(int count, DateTimeOffset now)
    {
        var all = Offset(Queued);
        var start = CreatedAt + all > now ? CreatedAt : now - all;
        var due = new DateTimeOffset[count];
        for (var i = 0; i < count; i++) due[i] = start + Offset(Queued + i);
        return due;
    }

    private TimeSpan Offset(long number)
    {
        var ticks = number * TimeSpan.TicksPerSecond / RatePerSecond;
        return TimeSpan.FromTicks(ticks - ticks % Step.Ticks);
    }
}

/// <summary>Which deliveries a job sends again.</summary>
internal sealed record ReplayFilter
{
    /// <summary>
    /// False: dead letters. True: everything at <see cref="EndpointId"/> that is not delivered: dead letters, what waits for a retry, and
    /// what its lane passed over.
    /// </summary>
    public bool Recovers { get; init; }

    /// <summary>At this endpoint only.</summary>
    public Guid? EndpointId { get; init; }

    /// <summary>Events of this type only.</summary>
    public string? Type { get; init; }

    /// <summary>Events accepted then or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Events accepted before.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>A part of the error's text, in any case of letters.</summary>
    public string? Error { get; init; }

    /// <summary>These events only; null = all.</summary>
    public IReadOnlyList<EventId>? EventIds { get; init; }

    /// <summary>The least id that is meant; zero = from the beginning.</summary>
    public EventId From => Since is { } since ? EventId.LowerBound(since) : default;

    /// <summary>The least id that is meant no more.</summary>
    public EventId To => Until is { } until ? EventId.LowerBound(until) : new EventId(ulong.MaxValue, ulong.MaxValue);
}

/// <summary>A page of dead letters to read.</summary>
/// <param name="OrganizationNo">The organization.</param>
/// <param name="Filter">Which ones; <see cref="ReplayFilter.Recovers"/> and <see cref="ReplayFilter.EventIds"/> are not looked at.</param>
/// <param name="Limit">At most this many.</param>
/// <param name="After">The last one seen; null = from the newest. Without an endpoint it is the event's last.</param>
internal sealed record DeadLetterQuery(int OrganizationNo, ReplayFilter Filter, int Limit, DeadLetterCursor? After);

/// <summary>A place in the list of dead letters.</summary>
/// <param name="EventId">The event.</param>
/// <param name="EndpointId">The endpoint; the empty id stands behind all of the event's.</param>
internal readonly record struct DeadLetterCursor(EventId EventId, Guid EndpointId);
