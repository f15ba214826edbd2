using Microsoft.AspNetCore.Http.Features;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// Tells the framework's request figures (<c>http.server.request.duration</c>) which route answers: the template, never the path, which has
/// ids in it.
/// </summary>
internal static class RouteTag
{
    /// <summary>Notes the template; at most once a request. Nothing when nobody measures.</summary>
    public static void Set(HttpContext context, string template) =>
        context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(new KeyValuePair<string, object?>("http.route", template));
}
