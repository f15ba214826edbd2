using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Delivery;

/// <summary>What waits in a lane, and the claims that are noted for it.</summary>
public sealed class LaneQueueTests
{
    private static readonly EventId Id = new(1, 0);
    private static readonly DueEvent Due = new() { Id = Id, Type = "a", Payload = [] };

    private readonly LaneQueue _queue = new(new FakeTimeProvider(), TimeSpan.FromMinutes(1));
    private readonly LaneWindow _window = new(default);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_dropped_event_leaves_no_claim_of_its_first_try(bool replaysToo)
    {
        _queue.Add([Due], Guid.NewGuid(), _window);
        _queue.Add([new ClaimedRetry(1, Guid.NewGuid(), Due, Attempt: 1, Base: 0, IsReplay: true)], DateTimeOffset.MaxValue);
        Assert.Single(_queue.Claims);

        _queue.Drop(new HashSet<EventId> { Id }, _window, replaysToo);

        Assert.False(_queue.HasNext);
        Assert.Empty(_queue.Claims);
    }

    [Fact]
    public void A_replay_that_is_kept_keeps_its_claim()
    {
        _queue.Add([new ClaimedRetry(1, Guid.NewGuid(), Due, Attempt: 1, Base: 0, IsReplay: true)], DateTimeOffset.MaxValue);

        _queue.Drop(new HashSet<EventId> { Id }, _window, replaysToo: false);

        Assert.True(_queue.HasNext);
        Assert.Single(_queue.Claims);
    }
}
