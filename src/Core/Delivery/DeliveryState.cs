using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Delivery;

/// <summary>What the store has of an event's delivery to an endpoint before the result of a try is recorded.</summary>
/// <param name="Retry">The row of <c>retries</c>; null = there is none.</param>
/// <param name="Outcome">The row of <c>outcomes</c>; null = there is none.</param>
/// <param name="IsAcknowledged">Whether the event has been acknowledged.</param>
internal readonly record struct DeliveryState(RetryState? Retry, OutcomeState? Outcome, bool IsAcknowledged);

/// <summary>A retry or replay that waits or is under way.</summary>
/// <param name="Attempts">Tries counted so far, the one under way included.</param>
/// <param name="Base">Tries at which the present round began: the schedule counts from there.</param>
/// <param name="Owed">Sends asked for by hand that are not done yet.</param>
/// <param name="IsClaimed">Whether a claim is out whose result has not been recorded.</param>
/// <param name="DueAt">When it is due; while it is claimed, when its lease ends.</param>
internal sealed record RetryState(int Attempts, int Base, int Owed, bool IsClaimed, DateTimeOffset DueAt);

/// <summary>How a delivery ended; an outcome carries its latest try.</summary>
/// <param name="Status"><see cref="EventStatus.Delivered"/> or <see cref="EventStatus.DeadLetter"/>.</param>
/// <param name="Attempts">The number of its latest try.</param>
internal sealed record OutcomeState(EventStatus Status, int Attempts);
