using System.Globalization;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// What a request is seen as: from whom and by which scheme when it came through a proxy that is named, and whether its path exists at the
/// address it came to. Nothing is done for a request unless a setting asks for it.
/// </summary>
internal sealed class Edge
{
    private readonly ForwardedHeadersMiddleware? _forwarded;
    private readonly string? _hsts;
    private readonly Func<IReadOnlyList<int>>? _adminPorts;

    /// <summary>For these settings.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="adminPorts">The ports of <see cref="HttpOptions.AdminUrls"/> that were bound; none until all of them are.</param>
    public Edge(HttpOptions options, Func<IReadOnlyList<int>> adminPorts)
    {
        if (options.KnownProxies.Count > 0) _forwarded = Forwarded(options);
        if (options.AdminUrls.Count > 0) _adminPorts = adminPorts;
        if (options.HstsMaxAge > TimeSpan.Zero)
            _hsts = string.Create(CultureInfo.InvariantCulture, $"max-age={(long)options.HstsMaxAge.TotalSeconds}; includeSubDomains");
    }

    /// <summary>Sees the request as its client sent it; false when it asks for what this address does not have.</summary>
    public bool Admit(HttpContext context)
    {
        _forwarded?.ApplyForwarders(context);
        if (_hsts is not null && context.Request.IsHttps) context.Response.Headers.StrictTransportSecurity = _hsts;
        return _adminPorts is null || !IsForAdmin(context.Request.Path) || _adminPorts().Contains(context.Connection.LocalPort);
    }

    private static bool IsForAdmin(PathString path) =>
        path.Value is "/metrics" || path.StartsWithSegments("/api/admin", StringComparison.Ordinal);

    private static ForwardedHeadersMiddleware Forwarded(HttpOptions options)
    {
        // As many hops as there are known proxies in the list: it is walked from its end, and ends at the first that is not known.
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            ForwardLimit = null,
        };
        forwarded.KnownIPNetworks.Clear();
        forwarded.KnownProxies.Clear();
        foreach (var network in options.KnownProxies) forwarded.KnownIPNetworks.Add(network);
        return new ForwardedHeadersMiddleware(static _ => Task.CompletedTask, NullLoggerFactory.Instance, Options.Create(forwarded));
    }
}
