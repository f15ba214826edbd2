using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Server.Http;

/// <summary>How Kestrel listens and what it bounds.</summary>
internal static class KestrelSetup
{
    /// <summary>
    /// Sets addresses and limits; <paramref name="requestsEnd"/> is how long requests in flight have when the server stops.
    /// </summary>
    public static void Configure(WebApplicationBuilder builder, HttpOptions options, TimeSpan requestsEnd)
    {
        builder.WebHost.UseUrls([.. options.Addresses, .. options.AdminUrls]);

        // Certificates are Kestrel's own affair: its section Kestrel:Certificates:Default, read again when the file changes.
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.Http2.MaxStreamsPerConnection = 100;

            // What a client may send ahead of what is read; bodies are taken as they come, so that little is enough.
            kestrel.Limits.MaxRequestBufferSize = 128 * 1024;

            // Bodies are counted by whoever reads them: a body that is too large gets its answer, not a reset.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.ConfigureEndpointDefaults(listen => listen.Use(HalfClosedClients.Serve));
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = requestsEnd);
    }
}
