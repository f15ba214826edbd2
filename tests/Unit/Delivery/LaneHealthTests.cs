using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Delivery;

/// <summary>What is said of an endpoint after its answers, and how fast held events go out.</summary>
public sealed class LaneHealthTests
{
    private static readonly DeliveryOptions Options = new() { AllowPrivateNetworks = true, CatchUpPerSecond = 5 };

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void It_backs_off_after_ten_failures_and_is_active_after_one_success()
    {
        var health = new LaneHealth(_time, failingSince: null);
        var first = _time.GetUtcNow();
        for (var i = 0; i < LaneHealth.BreakAfter; i++)
        {
            Assert.Equal(EndpointState.Active, health.Of(Endpoint()).State);
            health.Failed(Result("status 500"));
            _time.Advance(TimeSpan.FromMilliseconds(50));
        }

        var backingOff = health.Of(Endpoint());
        Assert.Equal((EndpointState.BackingOff, first), (backingOff.State, backingOff.Since));
        Assert.Equal((LaneHealth.BreakAfter, first, "status 500"), backingOff.Failing);
        Assert.True(backingOff.ResumesAt > _time.GetUtcNow());
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(health.Of(Endpoint()).ResumesAt);

        health.Succeeded(slow: false);
        var active = health.Of(Endpoint());
        Assert.Equal((EndpointState.Active, _time.GetUtcNow(), null), (active.State, active.Since, active.Reason));
        Assert.Equal((0, null), (health.Failures, health.FailingSince));
    }

    [Fact]
    public void A_pause_that_was_asked_for_is_told_as_such_until_it_ends()
    {
        var health = new LaneHealth(_time, failingSince: null);
        health.Failed(Result("status 429", TimeSpan.FromMinutes(10)));
        var since = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromMinutes(4));
        var paused = health.Of(Endpoint());
        Assert.Equal((EndpointState.Paused, since, since.AddMinutes(10)), (paused.State, paused.Since, paused.ResumesAt));
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(EndpointState.Active, health.Of(Endpoint()).State);
    }

    [Fact]
    public void Since_when_it_fails_is_kept_from_a_former_process()
    {
        var since = _time.GetUtcNow().AddDays(-3);
        var health = new LaneHealth(_time, since);
        Assert.Equal((0, since), (health.Failures, health.FailingSince));
        health.Failed(Result("status 500"));
        Assert.Equal((1, since), (health.Failures, health.FailingSince));
        health.Reset();
        Assert.Equal((0, null), (health.Failures, health.FailingSince));
    }

    [Fact]
    public void What_was_held_goes_out_slowly_and_what_comes_after_it_does_not()
    {
        var lane = new Lane(Target(enabled: false), Options, _time);
        Assert.False(lane.TryBeginRead());
        lane.Target = Target(enabled: true);
        Assert.True(lane.TryBeginRead());
        var held = Enumerable.Range(0, 12).Select(i => Due(_time.GetUtcNow().AddMinutes(i - 20))).ToArray();
        lane.EndRead(new LanePage(held, held[^1].Id));

        Assert.Equal(5, Start(lane));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(5, Start(lane));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, Start(lane));

        _time.Advance(TimeSpan.FromSeconds(1));
        var fresh = Enumerable.Range(0, 12).Select(_ => Due(_time.GetUtcNow())).ToArray();
        Assert.True(lane.TryBeginRead());
        lane.EndRead(new LanePage(fresh, fresh[^1].Id));
        Assert.Equal(12, Start(lane));
    }

    private static int Start(Lane lane)
    {
        var count = 0;
        for (; lane.TryStart(default) is { } started; count++) lane.Ended(started, Result(null), slow: false);
        return count;
    }

    private static DueEvent Due(DateTimeOffset at) =>
        new() { Id = new EventId(EventId.LowerBound(at).High, (ulong)Random.Shared.NextInt64()), Type = "t", Payload = [] };

    private static TryResult Result(string? error, TimeSpan? retryAfter = null) => new()
    {
        Error = error is null ? DeliveryError.None : DeliveryError.BadStatus,
        ErrorText = error,
        At = default,
        Latency = default,
        RetryAfter = retryAfter,
    };

    private static WebhookTarget Target(bool enabled) =>
        WebhookTarget.Create(Endpoint() with { Enabled = enabled }, new AddressGuard(Options));

    private static EndpointRecord Endpoint() => new()
    {
        Id = Guid.Empty,
        OrganizationNo = 1,
        IsDefault = false,
        Url = "http://127.0.0.1:9/",
        Secret = WebhookSecret.Generate(),
        Enabled = true,
        DeliveredThrough = default,
        CreatedAt = default,
        UpdatedAt = default,
    };
}
