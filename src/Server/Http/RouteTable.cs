using System.Collections.Frozen;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Server.Http;

/// <summary>Answers one request. <paramref name="id"/> is the path's <c>{id}</c> segment, if its template has one.</summary>
internal delegate Task RouteHandler(HttpContext context, string? id);

/// <summary>
/// All routes of the server: a template is a path whose segments are literal, except for at most one <c>{id}</c>. Literal paths are one
/// look-up; the few templates with an id are compared segment by segment. A path that exists under another method is 405 with Allow.
/// </summary>
internal sealed class RouteTable
{
    private readonly List<Route> _routes = [];
    private FrozenDictionary<string, Dictionary<string, RouteHandler>> _literal =
        FrozenDictionary<string, Dictionary<string, RouteHandler>>.Empty;
    private (string Template, string[] Segments, Dictionary<string, RouteHandler> Methods)[] _templates = [];

    /// <summary>All (method, template) pairs, for the tests that hold the documentation true.</summary>
    public IEnumerable<(string Method, string Template)> All => _routes.Select(route => (route.Method, route.Template));

    /// <summary>The same with who may call each.</summary>
    public IEnumerable<(string Method, string Template, RouteAccess Access)> Declared =>
        _routes.Select(route => (route.Method, route.Template, route.Access));

    /// <summary>Adds a route that anyone may call.</summary>
    public void Map(string method, string template, RouteHandler handler) => Map(method, template, RouteAccess.Open, handler);

    /// <summary>Adds a route; its handler asks for what is declared here, which a test holds true.</summary>
    public void Map(string method, string template, RouteAccess access, RouteHandler handler) =>
        _routes.Add(new Route(method, template, access, access.Action is { } action ? Audited(action, handler) : handler));

    /// <summary>Adds a route under <c>/api</c> and without the prefix.</summary>
    public void MapBoth(string method, string template, RouteHandler handler) => MapBoth(method, template, RouteAccess.Open, handler);

    /// <summary>Adds a route under <c>/api</c> and without the prefix.</summary>
    public void MapBoth(string method, string template, RouteAccess access, RouteHandler handler)
    {
        Map(method, "/api" + template, access, handler);
        Map(method, template, access, handler);
    }

    /// <summary>Puts something around each handler that was added up to now.</summary>
    public void Wrap(Func<RouteHandler, RouteHandler> around)
    {
        for (var i = 0; i < _routes.Count; i++) _routes[i] = _routes[i] with { Handler = around(_routes[i].Handler) };
    }

    /// <summary>Ends the adding; call once before the first look-up.</summary>
    public void Freeze()
    {
        var byTemplate = _routes.GroupBy(route => route.Template, StringComparer.Ordinal)
            .ToDictionary(
                group => group.Key, group => group.ToDictionary(route => route.Method, route => route.Handler, StringComparer.Ordinal),
                StringComparer.Ordinal);
        _literal = byTemplate.Where(pair => !pair.Key.Contains('{')).ToFrozenDictionary(StringComparer.Ordinal);
        _templates = [.. byTemplate.Where(pair => pair.Key.Contains('{')).Select(pair => (pair.Key, pair.Key.Split('/'), pair.Value))];
    }

    /// <summary>Runs the handler of the request's method and path, or answers 404 or 405.</summary>
    public Task DispatchAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        string? id = null;
        var template = path;
        if (!_literal.TryGetValue(path, out var methods)) methods = FindTemplate(path, out id, out template);
        if (methods is null) return AnswerNotFoundAsync(context);

        RouteTag.Set(context, template);
        var method = context.Request.Method;
        if (methods.TryGetValue(method, out var handler)) return handler(context, id);
        if (HttpMethods.IsHead(method) && methods.TryGetValue(HttpMethods.Get, out handler)) return handler(context, id);

        var allow = string.Join(", ", methods.Keys.Order(StringComparer.Ordinal));
        context.Response.Headers.Allow = allow;
        return Answers.ProblemAsync(context, Problem.MethodNotAllowed, $"This path does not take {method}; it takes {allow}.");
    }

    /// <summary>Answers 404. The path is not said back: people put keys into paths, and errors into logs.</summary>
    public static Task AnswerNotFoundAsync(HttpContext context) =>
        Answers.ProblemAsync(context, Problem.NotFound, "There is nothing under this path. GET /docs lists the API.");

    private Dictionary<string, RouteHandler>? FindTemplate(string path, out string? id, out string template)
    {
        (id, template) = (null, "");
        var segments = path.Split('/');
        foreach (var (candidate, parts, methods) in _templates)
        {
            if (parts.Length != segments.Length) continue;
            string? found = null;
            var matches = true;
            for (var i = 0; matches && i < parts.Length; i++)
            {
                if (parts[i] == "{id}") found = segments[i];
                else matches = parts[i] == segments[i];
            }

            if (!matches || string.IsNullOrEmpty(found)) continue;
            (id, template) = (found, candidate);
            return methods;
        }

        return null;
    }

    /// <summary>Lets the call flow to where the change is stored, so that its audit entry is stored with it.</summary>
    private static RouteHandler Audited(string action, RouteHandler handler) => async (context, id) =>
    {
        var address = context.Connection.RemoteIpAddress;
        if (address is { IsIPv4MappedToIPv6: true }) address = address.MapToIPv4();
        var call = AuditedCall.Begin(action, TimeProvider.System.GetUtcNow(), address?.ToString(), context.TraceIdentifier);
        try
        {
            await handler(context, id);
        }
        finally
        {
            call.End();
        }
    };

    private sealed record Route(string Method, string Template, RouteAccess Access, RouteHandler Handler);
}
