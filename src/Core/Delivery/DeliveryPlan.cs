using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// What recording a result changes in the store: decided here, once, for all stores. Recording the same result again changes nothing,
/// because then its claim is no longer out and its try is there.
/// </summary>
internal readonly record struct DeliveryPlan
{
    /// <summary>Where the try goes.</summary>
    public TryPlace Try { get; private init; }

    /// <summary>The outcome's status, where <see cref="Try"/> is <see cref="TryPlace.Outcome"/>.</summary>
    public EventStatus OutcomeStatus { get; private init; }

    /// <summary>Whether an outcome is there whose own try goes to the earlier tries, before this one takes its place.</summary>
    public bool ReplacesOutcome { get; private init; }

    /// <summary>Whether the retry row goes, if there is one.</summary>
    public bool DropsRetry { get; private init; }

    /// <summary>The retry row as it is to be, made if it is missing; null = it stays as it is (or goes).</summary>
    public RetryState? Retry { get; private init; }

    /// <summary>Whether it makes a dead letter of the event at the endpoint: neither delivered before nor asked for once more.</summary>
    public bool MakesDeadLetter => Try == TryPlace.Outcome && OutcomeStatus == EventStatus.DeadLetter && !ReplacesOutcome;

    /// <summary>Whether it leaves a send that was asked for by hand due at once.</summary>
    public bool IsDueNow => Retry is { Owed: > 0, IsClaimed: false };

    /// <summary>Whether the result is a success that is not recorded yet.</summary>
    public bool IsNewSuccess(DeliveryResult result) => result.Status == EventStatus.Delivered && Try != TryPlace.Nowhere;

    /// <summary>Decides.</summary>
    /// <param name="result">What came of the try.</param>
    /// <param name="state">What the store has, locked until the plan is carried out.</param>
    /// <param name="now">When what is owed is due.</param>
    public static DeliveryPlan Decide(DeliveryResult result, DeliveryState state, DateTimeOffset now)
    {
        var number = result.Number;
        var isLive = state.Retry is { IsClaimed: true } claimed && claimed.Attempts == number;
        var owed = state.Retry is { } row ? row.Owed - (isLive && result.IsReplay ? 1 : 0) : 0;

        // A dead letter is none while more sends are asked for: the next one begins a new round.
        var isFinal = state.Outcome is not null || result.Status == EventStatus.Delivered
            || (result.Status == EventStatus.DeadLetter && owed <= 0);
        var plan = isFinal ? WithOutcome(result, state.Outcome, number) : new DeliveryPlan { Try = Place(result, TryPlace.Attempts) };
        if (owed > 0) return plan.WithOwed(state.Retry!, number, owed, isLive, now);
        if (isFinal || state.IsAcknowledged) return plan with { DropsRetry = state.Retry is not null };
        return plan.WithNextTry(result, state.Retry, number, isLive);
    }

    private static DeliveryPlan WithOutcome(DeliveryResult result, OutcomeState? outcome, int number)
    {
        if (outcome is null) return new DeliveryPlan { Try = TryPlace.Outcome, OutcomeStatus = result.Status };
        if (number < outcome.Attempts) return new DeliveryPlan { Try = Place(result, TryPlace.Attempts) };
        if (number == outcome.Attempts) return default;
        return new DeliveryPlan
        {
            Try = Place(result, TryPlace.Outcome),
            OutcomeStatus = result.Status == EventStatus.Delivered ? EventStatus.Delivered : outcome.Status,
            ReplacesOutcome = result.Attempt is not null,
        };
    }

    private static TryPlace Place(DeliveryResult result, TryPlace place) => result.Attempt is null ? TryPlace.Nowhere : place;

    /// <summary>More sends are asked for: the row stays, and what is owed begins a round of its own.</summary>
    private DeliveryPlan WithOwed(RetryState row, int number, int owed, bool isLive, DateTimeOffset now)
    {
        if (isLive) return this with { Retry = new RetryState(number, number, owed, IsClaimed: false, now) };
        return row.Attempts < number ? this with { Retry = row with { Attempts = number, Base = number } } : this;
    }

    /// <summary>It failed and is tried again. A late copy of an earlier try does not undo a later claim.</summary>
    private DeliveryPlan WithNextTry(DeliveryResult result, RetryState? row, int number, bool isLive)
    {
        if (row is not null && !isLive && (row.IsClaimed || row.Attempts >= number)) return this;
        return this with
        {
            Retry = new RetryState(number, row?.Base ?? result.Base, Owed: 0, IsClaimed: false, result.NextAttemptAt!.Value),
        };
    }
}

/// <summary>Where a try is written.</summary>
internal enum TryPlace
{
    /// <summary>It is there already, or none was made.</summary>
    Nowhere = 0,

    /// <summary>Among the tries before the last one.</summary>
    Attempts,

    /// <summary>Into the outcome, as its latest try.</summary>
    Outcome,
}
