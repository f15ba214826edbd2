using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Delivery;

/// <summary>Where endpoints, lanes, retries, attempts and outcomes are kept. Failures are <see cref="Storing.StoreException"/>.</summary>
internal interface IDeliveryStore
{
    /// <summary>Reads all endpoints, disabled ones too.</summary>
    Task<IReadOnlyList<EndpointRecord>> LoadEndpointsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Inserts the endpoint, or, when its <see cref="EndpointRecord.Id"/> is there already, updates all of it and its filters but for
    /// organization, whether it is the default one, cursor, first place and created_at, which are set at insertion only. Also sets the
    /// organization's updated_at. At most one default endpoint per organization: a second insert of one throws
    /// <see cref="Storing.StoreFailure.RowRefused"/>. All or nothing; the same again changes nothing.
    /// </summary>
    Task SaveEndpointAsync(EndpointRecord endpoint, CancellationToken cancellationToken);

    /// <summary>Keeps since when an endpoint fails and when that was told; nothing when it is not there.</summary>
    Task SaveHealthAsync(
        int organizationNo, Guid endpointId, DateTimeOffset? failingSince, DateTimeOffset? toldAt, CancellationToken cancellationToken);

    /// <summary>
    /// Sets those of the lanes back that are ahead of their place in <paramref name="places"/>, for events that are stored late. From then
    /// on cursors of a former <see cref="LaneCursor.Generation"/> are not recorded any more: another server may still send.
    /// </summary>
    Task RewindLanesAsync(IReadOnlyList<LaneCursor> places, CancellationToken cancellationToken);

    /// <summary>
    /// Removes the endpoint with its lane, filters and waiting retries; attempts and outcomes stay. All or nothing; nothing when it is not
    /// there.
    /// </summary>
    Task DeleteEndpointAsync(int organizationNo, Guid endpointId, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the next events of the organization, in order, that the patterns match and that have no acknowledgement and, for this
    /// endpoint, no outcome and no retry row; at most as many and about as many bytes of payload as asked for (at least one).
    /// <see cref="LanePage.ScannedThrough"/> is the last id looked at, also when nothing is due.
    /// </summary>
    Task<LanePage> ReadLaneAsync(LaneRead read, CancellationToken cancellationToken);

    /// <summary>
    /// Claims retries that are due at <paramref name="now"/>, oldest due first, only of the endpoints in <paramref name="rooms"/> and at
    /// most as many of each as it has room for: counts the attempt and moves the due time to <paramref name="leaseUntil"/> in one
    /// statement, so a crash in the middle of a try neither loses nor forgets to count it. A retry whose event has been acknowledged is
    /// returned only when it was asked for by hand; one whose endpoint is disabled stays as it is.
    /// </summary>
    Task<IReadOnlyList<ClaimedRetry>> ClaimRetriesAsync(
        DateTimeOffset now, DateTimeOffset leaseUntil, int limit, IReadOnlyList<ClaimRoom> rooms, CancellationToken cancellationToken);

    /// <summary>
    /// Gives claims back that this process will not end: they are due at <paramref name="now"/>, for it or for another server. A try that
    /// was not made does not count; one that was stays counted, so a result of it that comes late ends no later claim. A claim that is not
    /// out any more, or is another one by now, is left alone.
    /// </summary>
    Task ReleaseRetriesAsync(IReadOnlyList<HeldClaim> claims, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>
    /// The events with an ordering key whose latest try at the endpoint failed at <paramref name="since"/> or later and that are to be
    /// tried again; the latest failures, at most <see cref="KeyOrder.MostWaiting"/>.
    /// </summary>
    Task<IReadOnlyList<(string Key, EventId Id)>> ReadFailingKeysAsync(
        int organizationNo, Guid endpointId, DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>When the next retry of an enabled endpoint is due; null when none waits.</summary>
    Task<DateTimeOffset?> NextRetryAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Those of the results that would make a dead letter of their event if they were recorded now; see
    /// <see cref="DeliveryPlan.MakesDeadLetter"/>. Changes nothing.
    /// </summary>
    Task<IReadOnlyList<DeliveryResult>> FindDeadLettersAsync(IReadOnlyList<DeliveryResult> results, CancellationToken cancellationToken);

    /// <summary>
    /// Records finished tries and moves cursors, all in one transaction; what each result changes is said by <see cref="DeliveryPlan"/>.
    /// Recording the same result again changes nothing. A <see cref="EventStatus.Failed"/> result whose attempt number is lower than the
    /// attempts counted so far comes from a claim that was given up: its attempt is kept, the retry's due time is not touched. Returns
    /// whether something is due at once because it was asked for by hand.
    /// </summary>
    Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken);
}

/// <summary>An event to send.</summary>
internal sealed record DueEvent
{
    /// <summary>Its id.</summary>
    public required EventId Id { get; init; }

    /// <summary>Its type.</summary>
    public required string Type { get; init; }

    /// <summary>Its payload as sent: UTF-8 JSON.</summary>
    public required byte[] Payload { get; init; }

    /// <summary>Its ordering key, if any.</summary>
    public string? OrderingKey { get; init; }

    /// <summary>The trace it belongs to, if its producer said one.</summary>
    public TraceParent TraceParent { get; init; }
}

/// <summary>What a lane asks for.</summary>
internal sealed record LaneRead
{
    /// <summary>
    /// Events looked at in one read with patterns, at the most: few of many may match, and a look at a type costs little.
    /// </summary>
    public const int MostLookedAt = 1024;

    /// <summary>The organization.</summary>
    public required int OrganizationNo { get; init; }

    /// <summary>The endpoint.</summary>
    public required Guid EndpointId { get; init; }

    /// <summary>The last id looked at before.</summary>
    public required EventId After { get; init; }

    /// <summary>The most events.</summary>
    public required int Limit { get; init; }

    /// <summary>About the most bytes of payload.</summary>
    public required int MaxBytes { get; init; }

    /// <summary>Which types are wanted: one list, so it must be in force for all that is taken of the page.</summary>
    public EventTypePatterns Patterns { get; init; } = EventTypePatterns.All;
}

/// <summary>What a lane reads at a time.</summary>
/// <param name="Events">Events to send, in order.</param>
/// <param name="ScannedThrough">
/// The last id looked at; the next read starts after it. Equals the given cursor when nothing follows it.
/// </param>
internal sealed record LanePage(IReadOnlyList<DueEvent> Events, EventId ScannedThrough);

/// <summary>A retry that was claimed: its attempt is counted already.</summary>
/// <param name="OrganizationNo">The organization.</param>
/// <param name="EndpointId">The endpoint.</param>
/// <param name="Event">What to send.</param>
/// <param name="Attempt">The number of this try.</param>
/// <param name="Base">Tries at which the present round began: the schedule counts from there.</param>
/// <param name="IsReplay">Whether it was asked for by hand: it is sent also when the event was delivered or acknowledged.</param>
internal sealed record ClaimedRetry(int OrganizationNo, Guid EndpointId, DueEvent Event, int Attempt, int Base, bool IsReplay);

/// <summary>A claim whose try is not recorded.</summary>
/// <param name="OrganizationNo">The organization.</param>
/// <param name="EndpointId">The endpoint.</param>
/// <param name="EventId">The event.</param>
/// <param name="Attempt">The number of the try that was claimed.</param>
/// <param name="IsBegun">Whether the try was started, so that its receiver may have seen it.</param>
internal readonly record struct HeldClaim(int OrganizationNo, Guid EndpointId, EventId EventId, int Attempt, bool IsBegun);

/// <summary>How many retries of an endpoint may be claimed now.</summary>
/// <param name="OrganizationNo">The organization.</param>
/// <param name="EndpointId">The endpoint.</param>
/// <param name="Count">At least 1.</param>
internal readonly record struct ClaimRoom(int OrganizationNo, Guid EndpointId, int Count);

/// <summary>What became of one try.</summary>
internal sealed record DeliveryResult
{
    /// <summary>The organization.</summary>
    public required int OrganizationNo { get; init; }

    /// <summary>The endpoint.</summary>
    public required Guid EndpointId { get; init; }

    /// <summary>The event.</summary>
    public required EventId EventId { get; init; }

    /// <summary>
    /// <see cref="EventStatus.Delivered"/>, <see cref="EventStatus.DeadLetter"/>, or <see cref="EventStatus.Failed"/> with <see
    /// cref="NextAttemptAt"/>.
    /// </summary>
    public required EventStatus Status { get; init; }

    /// <summary>When to try again; set exactly when <see cref="Status"/> is <see cref="EventStatus.Failed"/>.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>
    /// The try itself; null when none was made (a refused literal address found after registration is a dead letter without a try).
    /// </summary>
    public Storing.AttemptRecord? Attempt { get; init; }

    /// <summary>In words why no try was made; set exactly when <see cref="Attempt"/> is null.</summary>
    public string? Reason { get; init; }

    /// <summary>The claim that this ends; null for a lane's first try of an event.</summary>
    public ClaimedRetry? Claim { get; init; }

    /// <summary>The number that the try was counted under, whether it was made or not.</summary>
    public int Number => Claim?.Attempt ?? Attempt?.Number ?? 1;

    /// <summary>Tries at which the present round began.</summary>
    public int Base => Claim?.Base ?? 0;

    /// <summary>Whether it was asked for by hand when it was claimed.</summary>
    public bool IsReplay => Claim?.IsReplay == true;
}

/// <summary>Results and cursors to record together.</summary>
/// <param name="Results">In any order; at most one per event and endpoint.</param>
/// <param name="Cursors">New cursors; here a cursor never goes back.</param>
internal sealed record DeliveryBatch(IReadOnlyList<DeliveryResult> Results, IReadOnlyList<LaneCursor> Cursors);

/// <summary>A lane's new cursor.</summary>
/// <param name="OrganizationNo">The organization.</param>
/// <param name="EndpointId">The endpoint.</param>
/// <param name="DeliveredThrough">See <see cref="EndpointRecord.DeliveredThrough"/>.</param>
/// <param name="Generation">See <see cref="EndpointRecord.LaneGeneration"/>.</param>
internal sealed record LaneCursor(int OrganizationNo, Guid EndpointId, EventId DeliveredThrough, int Generation);
