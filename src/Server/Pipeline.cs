using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Ingest;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Server;

/// <summary>
/// What runs in which order for every request:
/// <list type="number">
/// <item>the request's id</item>
/// <item>the exception boundary</item>
/// <item>the edge: proxies in front, what this address has, HSTS</item>
/// <item>CORS (preflight ends here)</item>
/// <item>events in, the hot path, before any look-up</item>
/// <item>everything else, by the route table</item>
/// </list>
/// </summary>
internal sealed class Pipeline(Edge edge, Cors cors, IngestMiddleware ingest, RouteTable routes, ILogger<Pipeline> logger)
{
    private const string EventsRoute = "/api/events";

    private readonly RequestDelegate _afterBoundary = context => RouteAsync(context, edge, cors, ingest, routes);

    /// <summary>Answers one request.</summary>
    public Task RunAsync(HttpContext context)
    {
        RequestId.Assign(context);
        return ExceptionBoundary.RunAsync(context, _afterBoundary, logger);
    }

    private static Task RouteAsync(HttpContext context, Edge edge, Cors cors, IngestMiddleware ingest, RouteTable routes)
    {
        if (!edge.Admit(context)) return RouteTable.AnswerNotFoundAsync(context);
        if (cors.IsPreflight(context)) return cors.AnswerPreflightAsync(context);
        cors.WriteHeaders(context);
        if (!IsEventIn(context.Request)) return routes.DispatchAsync(context);
        RouteTag.Set(context, EventsRoute);
        return ingest.HandleAsync(context);
    }

    // A method's letters have one case (RFC 9110, 9.1): "post" is another method, which the table refuses.
    private static bool IsEventIn(HttpRequest request) =>
        request.Path.Value is EventsRoute or "/events" && request.Method == HttpMethods.Post;
}
