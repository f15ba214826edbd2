using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Delivery;

/// <summary>What a result changes, by what is there.</summary>
public sealed class DeliveryPlanTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Next = Now.AddMinutes(2);
    private static readonly DateTimeOffset Lease = Now.AddMinutes(1);

    [Fact]
    public void A_first_success_is_an_outcome_and_nothing_else()
    {
        var plan = DeliveryPlan.Decide(Result(EventStatus.Delivered, claim: null), default, Now);

        Assert.Equal(
            (TryPlace.Outcome, EventStatus.Delivered, false, false, null),
            (plan.Try, plan.OutcomeStatus, plan.ReplacesOutcome, plan.DropsRetry, plan.Retry));
    }

    [Fact]
    public void A_failure_waits_in_its_round()
    {
        var claim = Claim(4, @base: 2, isReplay: true);
        var plan = DeliveryPlan.Decide(Result(EventStatus.Failed, claim), new DeliveryState(Row(4, 2, 1), null, false), Now);

        Assert.Equal((TryPlace.Attempts, new RetryState(4, 2, 0, false, Next)), (plan.Try, plan.Retry));
        Assert.False(plan.IsDueNow);
    }

    [Theory]
    [InlineData(EventStatus.Delivered)]
    [InlineData(EventStatus.Failed)]
    [InlineData(EventStatus.DeadLetter)]
    internal void What_is_owed_besides_is_due_now_in_a_round_of_its_own(EventStatus status)
    {
        var plan = DeliveryPlan.Decide(Result(status, Claim(4, 2, isReplay: true)), new DeliveryState(Row(4, 2, 3), null, false), Now);

        Assert.Equal(new RetryState(4, 4, 2, false, Now), plan.Retry);
        Assert.Equal(status == EventStatus.Delivered ? TryPlace.Outcome : TryPlace.Attempts, plan.Try);
        Assert.True(plan.IsDueNow);
        Assert.False(plan.DropsRetry);
        Assert.False(plan.MakesDeadLetter);
    }

    [Fact]
    public void A_try_that_was_not_asked_for_pays_nothing()
    {
        var plan = DeliveryPlan.Decide(
            Result(EventStatus.Delivered, Claim(2, 0, isReplay: false)), new DeliveryState(Row(2, 0, 1), null, false), Now);

        Assert.Equal(new RetryState(2, 2, 1, false, Now), plan.Retry);
    }

    [Theory]
    [InlineData(EventStatus.Failed)]
    [InlineData(EventStatus.DeadLetter)]
    internal void A_delivered_event_stays_delivered(EventStatus status)
    {
        var state = new DeliveryState(Row(2, 1, 1), new OutcomeState(EventStatus.Delivered, 1), false);
        var plan = DeliveryPlan.Decide(Result(status, Claim(2, 1, isReplay: true)), state, Now);

        Assert.Equal(
            (TryPlace.Outcome, EventStatus.Delivered, true, true, null),
            (plan.Try, plan.OutcomeStatus, plan.ReplacesOutcome, plan.DropsRetry, plan.Retry));
        Assert.False(plan.MakesDeadLetter);
    }

    [Fact]
    public void An_acknowledged_event_has_no_ladder()
    {
        var plan = DeliveryPlan.Decide(
            Result(EventStatus.Failed, Claim(1, 0, isReplay: true)), new DeliveryState(Row(1, 0, 1), null, true), Now);

        Assert.Equal((TryPlace.Attempts, true, null), (plan.Try, plan.DropsRetry, plan.Retry));
    }

    [Fact]
    public void The_end_of_a_round_is_a_dead_letter()
    {
        var plan = DeliveryPlan.Decide(
            Result(EventStatus.DeadLetter, Claim(5, 2, isReplay: false)), new DeliveryState(Row(5, 2, 0), null, false), Now);

        Assert.Equal((TryPlace.Outcome, EventStatus.DeadLetter, true), (plan.Try, plan.OutcomeStatus, plan.DropsRetry));
        Assert.True(plan.MakesDeadLetter);
    }

    [Fact]
    public void The_same_again_changes_nothing()
    {
        var claim = Claim(4, 2, isReplay: true);
        var failed = DeliveryPlan.Decide(
            Result(EventStatus.Failed, claim), new DeliveryState(new RetryState(4, 2, 0, false, Next), null, false), Now);
        var owed = DeliveryPlan.Decide(
            Result(EventStatus.Failed, claim), new DeliveryState(new RetryState(4, 4, 2, false, Now), null, false), Now);
        var delivered = DeliveryPlan.Decide(
            Result(EventStatus.Delivered, claim), new DeliveryState(null, new OutcomeState(EventStatus.Delivered, 4), false), Now);

        Assert.Null(failed.Retry);
        Assert.Null(owed.Retry);
        Assert.Equal((TryPlace.Nowhere, false), (delivered.Try, delivered.ReplacesOutcome));
        Assert.All((DeliveryPlan[])[failed, owed, delivered], plan => Assert.False(plan.DropsRetry));
    }

    [Fact]
    public void A_claim_that_was_given_up_leaves_its_try_and_the_later_claim()
    {
        var late = Result(EventStatus.Failed, Claim(3, 2, isReplay: true));
        var plan = DeliveryPlan.Decide(late, new DeliveryState(Row(4, 2, 1), null, false), Now);

        Assert.Equal((TryPlace.Attempts, false, null), (plan.Try, plan.DropsRetry, plan.Retry));
        Assert.Equal(
            TryPlace.Attempts,
            DeliveryPlan.Decide(late, new DeliveryState(null, new OutcomeState(EventStatus.Delivered, 4), false), Now).Try);
    }

    private static RetryState Row(int attempts, int @base, int owed) => new(attempts, @base, owed, IsClaimed: true, Lease);

    private static ClaimedRetry Claim(int attempt, int @base, bool isReplay) =>
        new(1, Guid.Empty, new DueEvent { Id = default, Type = "t", Payload = [] }, attempt, @base, isReplay);

    private static DeliveryResult Result(EventStatus status, ClaimedRetry? claim) => new()
    {
        OrganizationNo = 1,
        EndpointId = Guid.Empty,
        EventId = default,
        Status = status,
        NextAttemptAt = status == EventStatus.Failed ? Next : null,
        Claim = claim,
        Attempt = new AttemptRecord { Number = claim?.Attempt ?? 1, At = Now, ResponseStatus = 200, LatencyMilliseconds = 1, Error = null, ResponseBody = null },
    };
}
