using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// Cross-origin requests (Fetch standard, "CORS protocol"): allowed origins get their headers on every answer, preflights are answered
/// under every API path. Credentials mode is not offered: keys travel in headers of their own, never in cookies.
/// </summary>
internal sealed class Cors(CorsOptions options)
{
    private const string ExposedHeaders = "X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, Idempotency-Replayed";
    private volatile HashSet<string> _origins = new(options.AllowedOrigins, StringComparer.OrdinalIgnoreCase);

    /// <summary>Goes by these options from the next answer on.</summary>
    public void Use(CorsOptions now) => _origins = new HashSet<string>(now.AllowedOrigins, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether this is a preflight: OPTIONS with Origin and Access-Control-Request-Method.</summary>
    public bool IsPreflight(HttpContext context) =>
        HttpMethods.IsOptions(context.Request.Method)
        && context.Request.Headers.Origin.Count > 0
        && context.Request.Headers.AccessControlRequestMethod.Count > 0;

    /// <summary>204; with the allowing headers only for an allowed origin.</summary>
    public Task AnswerPreflightAsync(HttpContext context)
    {
        WriteHeaders(context);
        var (request, response) = (context.Request, context.Response);
        response.StatusCode = StatusCodes.Status204NoContent;
        if (response.Headers.AccessControlAllowOrigin.Count == 0) return Task.CompletedTask;
        response.Headers.AccessControlAllowMethods = "GET, POST, PATCH, DELETE";
        response.Headers.AccessControlAllowHeaders = request.Headers.AccessControlRequestHeaders;
        response.Headers.AccessControlMaxAge = "600";
        return Task.CompletedTask;
    }

    /// <summary>Adds the headers that let the origin's page read the answer; nothing for a request without Origin.</summary>
    public void WriteHeaders(HttpContext context)
    {
        var origins = _origins;
        if (origins.Count == 0) return;
        var origin = context.Request.Headers.Origin;
        if (origin.Count == 0) return;
        var headers = context.Response.Headers;
        var any = origins.Contains("*");
        if (!any) headers.Append("Vary", "Origin");
        if (!any && !origins.Contains(origin.ToString())) return;
        headers.AccessControlAllowOrigin = any ? "*" : origin;
        headers.AccessControlExposeHeaders = ExposedHeaders;
    }
}
