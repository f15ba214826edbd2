using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Delivery;

/// <summary>Makes one try; every failure is a result, never an exception. See <see cref="WebhookSender.SendAsync"/>.</summary>
internal delegate Task<TryResult> SendWebhook(WebhookTarget target, DueEvent due, CancellationToken stop);

/// <summary>
/// Runs one try from start to result: sends under the current configuration, tells the lane, and hands the result over to be recorded.
/// </summary>
internal sealed partial class AttemptRunner(
    SendWebhook send,
    OutcomeRecorder recorder,
    GoneEvents goneEvents,
    RetrySchedule schedule,
    TimeProvider time,
    ILogger logger,
    Action<LaneTry, WebhookTarget> gone,
    Action<Lane> advance)
{
    /// <summary>Runs the try. Never throws: a place must come back.</summary>
    public async Task RunAsync(LaneTry started, Turns.Place place, CancellationToken stop)
    {
        var target = started.Lane.Target;
        if (goneEvents.Contains(target.Endpoint.OrganizationNo, started.Event.Id))
        {
            Drop(started, wasMade: false);
            return;
        }

        TryResult result;
        using var span = Spans.WebhookTry(started, target.Endpoint);
        try
        {
            Failpoint.Pass(Failpoint.DeliverySending);
            result = await send(target, started.Event, stop);
            Failpoint.Pass(Failpoint.DeliverySent);
        }
        catch (Exception exception)
        {
            Log.RunFailed(logger, exception, started.Event.Id, target.Endpoint.Id);
            result = new TryResult
            {
                Error = DeliveryError.Internal,
                ErrorText = "Unexpected failure on the sending side.",
                At = time.GetUtcNow(),
                Latency = TimeSpan.Zero,
            };
        }

        Spans.End(span, result);
        Count(started, result);
        if (result.Error == DeliveryError.Gone) gone(started, target);
        started.Lane.Ended(started, result, place.IsSlow);
        if (goneEvents.Contains(target.Endpoint.OrganizationNo, started.Event.Id))
        {
            Drop(started, wasMade: true);
            return;
        }

        // What a removed endpoint answers is nobody's failure; an event that it took was delivered.
        var counts = result.Error == DeliveryError.None || !started.Lane.IsRemoved;
        if (counts && result.Error != DeliveryError.Stopped) Record(started, target.Endpoint, result);
        Log.Tried(
            logger, started.Event.Id, target.Endpoint.Id, started.Attempt, result.Status, result.Error, result.Latency.TotalMilliseconds);
        advance(started.Lane);
    }

    private static void Count(LaneTry ended, TryResult result)
    {
        if (result.Error == DeliveryError.Stopped) return;
        Timings.WebhookTry.Record(result.Latency.TotalSeconds);
        if (result.Error == DeliveryError.None && ended.Claim is null)
            Timings.WebhookLag.Record(ended.Event.Id.AgeAt(result.At + result.Latency).TotalSeconds);
    }

    private void Drop(LaneTry started, bool wasMade)
    {
        started.Lane.Gone(started, wasMade);
        recorder.CursorMoved(started.Lane);
        advance(started.Lane);
    }

    private void Record(LaneTry ended, EndpointRecord endpoint, TryResult result)
    {
        var outcome = Outcome(ended, endpoint, result);
        var isNews = outcome.Status == EventStatus.DeadLetter && !OperationalEvent.IsOne(ended.Event.Type, ended.Event.OrderingKey);
        recorder.Add(ended, outcome, isNews ? OperationalEvent.DeadLetter(endpoint, ended.Event, ended.Attempt, result) : null);
        ended.Lane.Decided(ended, outcome.Status != EventStatus.Failed);
    }

    /// <summary>
    /// What a result means for the event: the one place that says when it is tried again and when no more. A replay begins the schedule
    /// anew; whether a failed one is tried again when the event was delivered before is known to the store alone
    /// (<see cref="DeliveryPlan"/>).
    /// </summary>
    private DeliveryResult Outcome(LaneTry ended, EndpointRecord endpoint, TryResult result)
    {
        var final = result.Error is DeliveryError.None or DeliveryError.BlockedAddress;
        var wait = final ? null : schedule.WaitAfter(ended.Attempt - (ended.Claim?.Base ?? 0), result.RetryAfter, endpoint.RetrySchedule);
        var status =
            result.Error == DeliveryError.None ? EventStatus.Delivered : wait is null ? EventStatus.DeadLetter : EventStatus.Failed;
        var tried = result.Error != DeliveryError.BlockedAddress;
        return new DeliveryResult
        {
            OrganizationNo = endpoint.OrganizationNo,
            EndpointId = endpoint.Id,
            EventId = ended.Event.Id,
            Claim = ended.Claim,
            Status = status,
            NextAttemptAt = wait is null ? null : time.GetUtcNow() + wait,
            Reason = tried ? null : result.ErrorText,
            Attempt = !tried ? null : new AttemptRecord
            {
                Number = ended.Attempt,
                At = result.At,
                ResponseStatus = result.Status,
                LatencyMilliseconds = (int)result.Latency.TotalMilliseconds,
                Error = result.ErrorText,
                ResponseBody = result.Answer,
            },
        };
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventId = LogEvents.AttemptRunnerTried, Level = LogLevel.Debug,
            Message = "Event {EventId} to endpoint {EndpointId}, try {Attempt}: status {Status}, {Error}, {Milliseconds} ms")]
        public static partial void Tried(
            ILogger logger, EventId eventId, Guid endpointId, int attempt, int? status, DeliveryError error, double milliseconds);

        [LoggerMessage(
            EventId = LogEvents.AttemptRunnerRunFailed, Level = LogLevel.Error,
            Message = "Running a try of event {EventId} to endpoint {EndpointId} failed")]
        public static partial void RunFailed(ILogger logger, Exception exception, EventId eventId, Guid endpointId);
    }
}
