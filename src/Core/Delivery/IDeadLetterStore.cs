namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Dead letters, and sending again by hand: each replay is a row of <c>retries</c> that owes one send more. Every member takes one
/// organization's number and touches nothing of another's. Failures are <see cref="Storing.StoreException"/>.
/// </summary>
internal interface IDeadLetterStore
{
    /// <summary>Reads a page of dead letters, newest event first. Those of acknowledged events are left out.</summary>
    Task<DeadLetterPage> ReadAsync(DeadLetterQuery query, CancellationToken cancellationToken);

    /// <summary>Replays an event's dead letters, all or those at one endpoint, in one transaction.</summary>
    Task<Requeued> ReplayDeadLettersAsync(
        int organizationNo, EventId eventId, Guid? endpointId, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>
    /// Sends an event again, whatever became of it, to the endpoint or to all enabled endpoints that there are now, in one transaction.
    /// </summary>
    Task<Requeued> ReplayEventAsync(
        int organizationNo, EventId eventId, Guid? endpointId, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Whether the organization has this endpoint.</summary>
    Task<bool> HasEndpointAsync(int organizationNo, Guid endpointId, CancellationToken cancellationToken);

    /// <summary>How many deliveries a job would send.</summary>
    Task<long> CountAsync(int organizationNo, ReplayFilter filter, WantsEvent wants, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps a new job, unless it is there already (a repeat after a lost reply). False when the organization has as many unfinished ones
    /// as <see cref="ReplayJob.MaxUnfinished"/>.
    /// </summary>
    Task<bool> AddJobAsync(ReplayJob job, CancellationToken cancellationToken);

    /// <summary>One job, or null.</summary>
    Task<ReplayJob?> FindJobAsync(int organizationNo, Guid id, CancellationToken cancellationToken);

    /// <summary>The latest jobs of the organization, newest first.</summary>
    Task<IReadOnlyList<ReplayJob>> ReadJobsAsync(int organizationNo, int limit, CancellationToken cancellationToken);

    /// <summary>All unfinished jobs of all organizations, oldest first.</summary>
    Task<IReadOnlyList<ReplayJob>> ReadUnfinishedAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Looks at the next <paramref name="limit"/> deliveries of the job, queues those that it is about at its rate, and moves its cursor,
    /// all in one transaction; so a crash neither loses nor doubles any. Returns the job as it is then; null when it is gone or finished.
    /// </summary>
    Task<ReplayJob?> RunChunkAsync(ReplayJob job, int limit, DateTimeOffset now, WantsEvent wants, CancellationToken cancellationToken);
}

/// <summary>Whether an event that the endpoint's lane passed over is one that the endpoint is to have.</summary>
internal delegate bool WantsEvent(int organizationNo, Guid endpointId, EventId id, string type, string? orderingKey);

/// <summary>What a replay of one event came to.</summary>
/// <param name="Found">Whether there is such an event (or dead letter).</param>
/// <param name="Count">Deliveries queued: 0 when none of the endpoints is there any more.</param>
internal readonly record struct Requeued(bool Found, int Count);

/// <summary>One page of dead letters.</summary>
/// <param name="Items">Newest event first.</param>
/// <param name="HasMore">Whether more follow.</param>
internal sealed record DeadLetterPage(IReadOnlyList<DeadLetter> Items, bool HasMore);

/// <summary>A delivery that was given up.</summary>
internal sealed record DeadLetter
{
    /// <summary>The event.</summary>
    public required EventId EventId { get; init; }

    /// <summary>The endpoint.</summary>
    public required Guid EndpointId { get; init; }

    /// <summary>Where that is now; null when it was removed.</summary>
    public required string? Url { get; init; }

    /// <summary>The event's type.</summary>
    public required string Type { get; init; }

    /// <summary>Tries made.</summary>
    public required int Attempts { get; init; }

    /// <summary>HTTP status of the last try; null when there was no answer.</summary>
    public required int? ResponseStatus { get; init; }

    /// <summary>Why it was given up, in words.</summary>
    public required string? Error { get; init; }

    /// <summary>When the last try was made.</summary>
    public required DateTimeOffset FailedAt { get; init; }
}
