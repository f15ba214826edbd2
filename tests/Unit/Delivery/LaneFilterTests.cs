using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Delivery;

/// <summary>A lane whose filter changes: which list it reads with, and what it takes of a page that reaches past that list.</summary>
public sealed class LaneFilterTests
{
    private static readonly EventTypePatterns A = new(["a"]);
    private static readonly EventTypePatterns B = new(["b"]);
    private static readonly DeliveryOptions Options = new() { AllowPrivateNetworks = true };

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void It_reads_with_one_list_at_a_time_and_never_past_it()
    {
        var lane = NewLane(new EndpointFilters([new FilterVersion(default, A), new FilterVersion(Id(10), B)]));

        Assert.Equal(A, Begin(lane).Patterns);
        lane.EndRead(Page(Id(30), 3, 9, 12));
        Assert.Equal((Id(10), B), (Begin(lane).After, lane.NextRead.Patterns));
        lane.EndRead(Page(Id(30), 12, 30));

        Assert.Equal([3, 9, 12, 30], Started(lane));
    }

    [Fact]
    public void A_place_that_no_event_has_is_passed_only_when_one_behind_it_is_seen()
    {
        var lane = NewLane(new EndpointFilters([new FilterVersion(default, A), new FilterVersion(Id(10), B)]));

        Begin(lane);
        lane.EndRead(Page(Id(9), 3));
        Assert.Equal((Id(9), A), (Begin(lane).After, lane.NextRead.Patterns));
        lane.EndRead(Page(Id(11)));

        Assert.Equal((Id(10), B), (Begin(lane).After, lane.NextRead.Patterns));
    }

    [Fact]
    public void While_a_change_is_stored_nothing_is_read_past_it()
    {
        var lane = NewLane(EndpointFilters.None);
        Begin(lane);
        Assert.Equal(Id(10), lane.Pin(Id(10)));

        // Was under way, and sees more than it may.
        lane.EndRead(Page(Id(20), 5, 10, 20));
        lane.Wake();
        Assert.False(lane.TryBeginRead());
        Change(lane, B, Id(10));
        lane.Unpin();

        Assert.Equal((Id(10), B), (Begin(lane).After, lane.NextRead.Patterns));
        Assert.Equal([5, 10], Started(lane));
    }

    [Fact]
    public void A_read_that_outlasts_the_change_is_cut_off_too()
    {
        var lane = NewLane(EndpointFilters.None);
        Begin(lane);
        lane.Pin(Id(10));
        Change(lane, B, Id(10));
        lane.Unpin();

        lane.EndRead(Page(Id(20), 5, 20));

        Assert.Equal(Id(10), Begin(lane).After);
        Assert.Equal([5], Started(lane));
    }

    [Fact]
    public void A_change_never_begins_before_what_was_read()
    {
        var lane = NewLane(EndpointFilters.None);
        Begin(lane);
        lane.EndRead(Page(Id(20), 20));

        Assert.Equal(Id(20), lane.Pin(Id(10)));
    }

    [Fact]
    public void Retries_are_claimed_only_as_far_as_the_rate_lets_them_start()
    {
        var lane = NewLane(EndpointFilters.None, endpoint => endpoint with { RateLimitPerSecond = 1, MaxInFlight = 2 });
        Assert.Equal(2, lane.RetryRoom);
        Begin(lane);
        lane.EndRead(Page(Id(20), 1, 2));

        Assert.NotNull(lane.TryStart(_time.GetUtcNow()));
        Assert.False(lane.IsReady);
        Assert.Null(lane.TryStart(_time.GetUtcNow()));
        Assert.True(lane.TryBeginWait(out var wait));
        Assert.Equal(TimeSpan.FromSeconds(1), wait);
        Assert.False(lane.TryBeginWait(out _));
        _time.Advance(wait);
        lane.EndWait();
        Assert.True(lane.IsReady);
    }

    [Fact]
    public void A_removed_lane_does_nothing_any_more()
    {
        var lane = NewLane(EndpointFilters.None);
        Begin(lane);
        lane.EndRead(Page(Id(20), 1, 2));
        lane.SetRemoved(true);

        Assert.False(lane.IsReady);
        Assert.Null(lane.TryStart(_time.GetUtcNow()));
        Assert.Equal(0, lane.RetryRoom);
        lane.Wake();
        Assert.False(lane.TryBeginRead());
    }

    private static LaneRead Begin(Lane lane)
    {
        Assert.True(lane.TryBeginRead());
        return lane.NextRead;
    }

    private int[] Started(Lane lane)
    {
        var ids = new List<int>();
        while (lane.TryStart(_time.GetUtcNow()) is { } started) ids.Add((int)started.Event.Id.High);
        return [.. ids];
    }

    private static void Change(Lane lane, EventTypePatterns patterns, EventId from)
    {
        var filters = lane.Endpoint.Filters.TryChange(patterns, from, default, default)!;
        lane.Target = WebhookTarget.Create(lane.Endpoint with { Filters = filters }, new AddressGuard(Options));
    }

    private static LanePage Page(EventId through, params int[] ids) =>
        new([.. ids.Select(id => new DueEvent { Id = Id(id), Type = "a", Payload = [] })], through);

    private static EventId Id(int number) => new((ulong)number, 0);

    private Lane NewLane(EndpointFilters filters, Func<EndpointRecord, EndpointRecord>? change = null)
    {
        var endpoint = new EndpointRecord
        {
            Id = Guid.NewGuid(),
            OrganizationNo = 1,
            IsDefault = false,
            Url = "http://127.0.0.1:9/",
            Secret = WebhookSecret.Generate(),
            Enabled = true,
            DeliveredThrough = default,
            StartsAfter = default(EventId),
            Filters = filters,
            CreatedAt = default,
            UpdatedAt = default,
        };
        var lane = new Lane(WebhookTarget.Create(change?.Invoke(endpoint) ?? endpoint, new AddressGuard(Options)), Options, _time);
        for (var i = 0; i < 8; i++) Retry(lane);
        return lane;
    }

    /// <summary>A retry that succeeds: the lane may have more in flight after it.</summary>
    private void Retry(Lane lane)
    {
        var due = new DueEvent { Id = Id(1000), Type = "a", Payload = [] };
        lane.BeginClaim();
        lane.EndClaim(
            [new ClaimedRetry(1, lane.Endpoint.Id, due, Attempt: 2, Base: 0, IsReplay: false)], DateTimeOffset.MaxValue, moreDue: false);
        var started = lane.TryStart(_time.GetUtcNow())!;
        lane.Ended(started, new TryResult { Error = DeliveryError.None, At = default, Latency = default }, slow: false);
        lane.Decided(started, isFinal: true);
        lane.Recorded(started);
        _time.Advance(TimeSpan.FromSeconds(1));
    }
}
