using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>An organization with an endpoint and some stored events.</summary>
internal sealed class DeliveryScene
{
    private readonly StoreFixture _fixture;
    private readonly ShardWriter _writer;

    private DeliveryScene(StoreFixture fixture, ShardWriter writer, EndpointRecord endpoint)
    {
        (_fixture, _writer, Endpoint) = (fixture, writer, endpoint);
        Events = new TestEvents(endpoint.OrganizationNo);
    }

    public TestEvents Events { get; }

    public EndpointRecord Endpoint { get; }

    public int OrganizationNo => Endpoint.OrganizationNo;

    public IDeliveryStore Store => _fixture.Stores.Deliveries;

    public IDeadLetterStore DeadLetters => _fixture.Stores.DeadLetters;

    public static async Task<DeliveryScene> SetAsync(StoreFixture fixture)
    {
        var scene = new DeliveryScene(fixture, await fixture.NewShardAsync(), NewEndpoint(StoreFixture.NextNumber()));
        await scene.Store.SaveEndpointAsync(scene.Endpoint, CancellationToken.None);
        return scene;
    }

    public static EndpointRecord NewEndpoint(int organizationNo, bool isDefault = false) => new()
    {
        Id = Guid.NewGuid(),
        OrganizationNo = organizationNo,
        IsDefault = isDefault,
        Url = "https://example.com/hook",
        Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        Enabled = true,
        DeliveredThrough = default,
        CreatedAt = StoreFixture.Noon,
        UpdatedAt = StoreFixture.Noon,
    };

    public async Task<EventId[]> AppendAsync(int count) => await AppendAsync(Events.Many(count));

    public async Task<EventId[]> AppendAsync(params JournaledEvent[] batch)
    {
        await _writer.AppendAsync(batch);
        return [.. batch.Select(journaled => journaled.Id)];
    }

    public DeliveryResult Delivered(EventId id, int number = 1) => Result(id, EventStatus.Delivered, number, 200, null);

    public DeliveryResult Failed(EventId id, int number, DateTimeOffset nextAt) =>
        Result(id, EventStatus.Failed, number, 500, $"status 500 on try {number}") with { NextAttemptAt = nextAt };

    public DeliveryResult Dead(EventId id, int number) => Result(id, EventStatus.DeadLetter, number, 503, $"gave up on try {number}");

    public DeliveryResult Delivered(ClaimedRetry claim) => Delivered(claim.Event.Id, claim.Attempt) with { Claim = claim };

    public DeliveryResult Failed(ClaimedRetry claim, DateTimeOffset nextAt) =>
        Failed(claim.Event.Id, claim.Attempt, nextAt) with { Claim = claim };

    public DeliveryResult Dead(ClaimedRetry claim) => Dead(claim.Event.Id, claim.Attempt) with { Claim = claim };

    /// <summary>Asks for one send more, now.</summary>
    public Task<Requeued> ReplayAsync(EventId id, DateTimeOffset now) =>
        DeadLetters.ReplayEventAsync(OrganizationNo, id, Endpoint.Id, now, CancellationToken.None);

    public Task RecordAsync(params DeliveryResult[] results) => Store.RecordAsync(new DeliveryBatch(results, []), CancellationToken.None);

    public Task<LanePage> ReadLaneAsync(EventId after, int limit = 100, int maxBytes = 1 << 20, params string[] patterns) =>
        Store.ReadLaneAsync(
        new LaneRead
        {
            OrganizationNo = OrganizationNo,
            EndpointId = Endpoint.Id,
            After = after,
            Limit = limit,
            MaxBytes = maxBytes,
            Patterns = patterns.Length == 0 ? EventTypePatterns.All : new EventTypePatterns(patterns),
        },
        CancellationToken.None);

    public Task<IReadOnlyList<ClaimedRetry>> ClaimAsync(DateTimeOffset now, DateTimeOffset? leaseUntil = null, int limit = 100) =>
        Store.ClaimRetriesAsync(
            now,
            leaseUntil ?? now.AddMinutes(1),
            limit,
            [new ClaimRoom(OrganizationNo, Endpoint.Id, limit)],
            CancellationToken.None);

    public async Task<EventDetail> FindAsync(EventId id) =>
        (await _fixture.Stores.Events.FindEventAsync(OrganizationNo, id, CancellationToken.None))!;

    public async Task<IReadOnlyList<DateTimeOffset?>> AcknowledgeAsync(DateTimeOffset at, params EventId[] ids) =>
        (await CountAcknowledgedAsync(at, ids)).Times;

    public Task<Acknowledgements> CountAcknowledgedAsync(DateTimeOffset at, params EventId[] ids) =>
        _fixture.Stores.Events.AcknowledgeAsync(OrganizationNo, ids, at, CancellationToken.None);

    public async Task<IEnumerable<EventId>> InboxAsync(EventStatus? status) => (await _fixture.Stores.Events.ReadInboxAsync(
        new InboxQuery { OrganizationNo = OrganizationNo, Status = status, Ascending = true, IncludeTotal = true },
        CancellationToken.None)).Events.Select(stored => stored.Id);

    private DeliveryResult Result(EventId id, EventStatus status, int number, int responseStatus, string? error) => new()
    {
        OrganizationNo = OrganizationNo,
        EndpointId = Endpoint.Id,
        EventId = id,
        Status = status,
        Attempt = new AttemptRecord
        {
            Number = number,
            At = StoreFixture.Noon.AddSeconds(number),
            ResponseStatus = responseStatus,
            LatencyMilliseconds = 250,
            Error = error,
            ResponseBody = "body\0 of " + number,
        },
    };
}
