using System.Globalization;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Delivery;

/// <summary>Tells an organization something. False when it was not taken now; then it may be told again.</summary>
internal delegate Task<bool> TellOrganization(OperationalEvent told);

/// <summary>
/// Looks after failing endpoints: remembers since when they fail, tells their organizations, disables them after
/// <see cref="DeliveryOptions.DisableAfter"/> (with a warning before), and tells when they work again. What is told is told before it is
/// remembered, under the same dedup id each time, so a crash in between neither loses nor doubles it.
/// </summary>
internal sealed partial class EndpointWatch(
    LaneTable lanes, EndpointConfiguration configuration, DeliveryOptions options, TimeProvider time, ILogger logger, TellOrganization tell)
{
    /// <summary>How long before an endpoint is disabled that is told.</summary>
    public static readonly TimeSpan WarnBefore = TimeSpan.FromDays(1);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Rows are written for what lasts, not for each hiccup.
    private static readonly TimeSpan RememberAfter = TimeSpan.FromMinutes(1);

    private readonly Backoff _backoff = new(time);

    /// <summary>Looks until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var wait = Interval;
            try
            {
                foreach (var lane in lanes.All) await LookAsync(lane, stop);
                _backoff.Succeeded();
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                if (_backoff.IsGrowing) Log.LookFailed(logger, exception is Storing.StoreException ? null : exception, exception.Message);
                wait = _backoff.Failed();
            }

            await Task.WhenAny(Task.Delay(wait, time, stop));
        }
    }

    private async Task LookAsync(Lane lane, CancellationToken stop)
    {
        var endpoint = lane.Endpoint;
        var failing = lane.Failing;
        if (!endpoint.Enabled || lane.IsRemoved || lane.IsHeld) return;
        if (failing.Since is not { } since)
        {
            if (endpoint.FailingSince is not null) await RecoveredAsync(lane, endpoint, stop);
            return;
        }

        // Only a failure of this process proves that it still fails.
        var now = time.GetUtcNow();
        if (failing.Count == 0) return;
        if (now - since >= RememberAfter && endpoint.FailingSince != since)
            await configuration.NoteHealthAsync(lane, since, endpoint.FailingToldAt, stop);
        if (IsOver(options.DisableAfter, since, now)) await DisableAsync(lane, since, stop);
        else await TellFailingAsync(lane, since, now, stop);
    }

    private async Task TellFailingAsync(Lane lane, DateTimeOffset since, DateTimeOffset now, CancellationToken stop)
    {
        var disablesAt = options.DisableAfter > TimeSpan.Zero ? since + options.DisableAfter : (DateTimeOffset?)null;
        var warnFrom = disablesAt - WarnBefore;
        var isWarning = warnFrom is { } from && now >= from && from > since;
        var toldAt = lane.Endpoint.FailingToldAt;
        var isDue = toldAt is null ? now - since >= options.FailingAfter : isWarning && toldAt < warnFrom;
        if (!isDue || !await tell(OperationalEvent.Failing(lane.Endpoint, lane.Health, disablesAt, isWarning))) return;
        await configuration.NoteHealthAsync(lane, since, now, stop);
        Log.Failing(logger, lane.Endpoint.Id, since);
    }

    private async Task RecoveredAsync(Lane lane, EndpointRecord endpoint, CancellationToken stop)
    {
        if (endpoint.FailingToldAt is not null && !await tell(OperationalEvent.Recovered(endpoint, lane.Health.Since))) return;
        await configuration.NoteHealthAsync(lane, failingSince: null, toldAt: null, stop);
    }

    private Task DisableAsync(Lane lane, DateTimeOffset since, CancellationToken stop) => configuration.DisableAsync(
        lane,
        lane.Target,
        string.Create(CultureInfo.InvariantCulture, $"No try has succeeded since {since.UtcDateTime:yyyy-MM-dd HH:mm}Z."),
        stop);

    private static bool IsOver(TimeSpan limit, DateTimeOffset since, DateTimeOffset now) => limit > TimeSpan.Zero && now - since >= limit;

    private static partial class Log
    {
        [LoggerMessage(
            EventId = LogEvents.EndpointWatchFailing, Level = LogLevel.Information,
            Message = "Endpoint {EndpointId} has failed since {Since}; its organization is told")]
        public static partial void Failing(ILogger logger, Guid endpointId, DateTimeOffset since);

        [LoggerMessage(
            EventId = LogEvents.EndpointWatchLookFailed, Level = LogLevel.Warning,
            Message = "Cannot look after failing endpoints ({Reason}); trying again")]
        public static partial void LookFailed(ILogger logger, Exception? exception, string reason);
    }
}
