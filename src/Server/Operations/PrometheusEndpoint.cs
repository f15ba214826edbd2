using OpenTelemetry.Metrics;

namespace ZapierTriggers.Server.Operations;

/// <summary>The Prometheus text of <see cref="ServerMeter"/> and of the runtime: the one file that knows the exporter.</summary>
internal static class PrometheusEndpoint
{
    /// <summary>Adds the exporter.</summary>
    public static void Add(IServiceCollection services) => services.AddOpenTelemetry().WithMetrics(metrics => metrics
        .AddMeter(ServerMeter.Name, "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel")
        .AddPrometheusExporter(options => options.ScrapeResponseCacheDurationMilliseconds = 0));

    /// <summary>What answers <c>GET /metrics</c>.</summary>
    public static RequestDelegate Build(IServiceProvider services)
    {
        var branch = new ApplicationBuilder(services);
        branch.UseOpenTelemetryPrometheusScrapingEndpoint(_ => true);
        return branch.Build();
    }
}
