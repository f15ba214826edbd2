using System.Globalization;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Accounts;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// OPTIONS on the event routes: the handshake by which a sender of CloudEvents asks whether it may post here (CloudEvents 1.0.2,
/// http-webhook.md, 4). Everyone may ask, and may post with a key; without an origin it is answered what the path takes.
/// </summary>
internal sealed class EventsHandshake(Authentication authentication)
{
    private const string Origin = "WebHook-Request-Origin";
    private const string Rate = "WebHook-Request-Rate";

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.MapBoth(HttpMethods.Options, "/events", (context, _) => AnswerAsync(context, "DELETE, OPTIONS, POST"));
        routes.MapBoth(HttpMethods.Options, "/events/batch", (context, _) => AnswerAsync(context, "OPTIONS, POST"));
    }

    private Task AnswerAsync(HttpContext context, string allow)
    {
        var (asked, headers) = (context.Request.Headers, context.Response.Headers);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        headers.Allow = allow;
        if (asked[Origin] is not [{ } origin] || !RequestId.IsSane(origin)) return Task.CompletedTask;
        headers["WebHook-Allowed-Origin"] = origin;
        if (asked[Rate].Count > 0) headers["WebHook-Allowed-Rate"] = RateOf(context);
        return Task.CompletedTask;
    }

    /// <summary>Requests in a minute: as many as the key's organization may send events, or a new one when there is no key.</summary>
    private string RateOf(HttpContext context)
    {
        var limit = authentication.TryAuthenticate(context, out var key)
            ? key.Organization.Record.RateLimitPerMinute
            : Tier.Default.RateLimitPerMinute;
        return limit?.ToString(CultureInfo.InvariantCulture) ?? "*";
    }
}
