using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// Figures and spans to the outside: the one file that knows the exporters. <c>GET /metrics</c> is always there; OTLP is sent where the
/// environment says so, by the variables of the OpenTelemetry specification (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and those beside it).
/// </summary>
internal static class Telemetry
{
    /// <summary>The variable that switches OTLP on.</summary>
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>What the server calls itself to collectors, unless <c>OTEL_SERVICE_NAME</c> says otherwise.</summary>
    private const string ServiceName = "zapier-triggers";

    /// <summary>Requests by route; its tags are few and known, none of them an organization's.</summary>
    private const string RequestDuration = "http.server.request.duration";

    private static readonly ExplicitBucketHistogramConfiguration RequestBuckets = new()
    {
        Boundaries = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        TagKeys = ["http.route", "http.request.method", "http.response.status_code"],
    };

    /// <summary>
    /// Of the framework's figures those whose names break Prometheus' rules and that nobody asks for, and one that is counted twice a
    /// request.
    /// </summary>
    private static readonly string[] Unwanted =
        ["dotnet.assembly.count", "dotnet.process.cpu.count", "dotnet.timer.count", "http.server.active_requests"];

    /// <summary>Adds the exporters; OTLP if there is an endpoint for it.</summary>
    public static void Add(IServiceCollection services, IConfiguration configuration)
    {
        var sends = !string.IsNullOrWhiteSpace(configuration[EndpointVariable]);
        var telemetry = services.AddOpenTelemetry().ConfigureResource(
            static resource => resource.AddService(ServiceName, serviceVersion: Build.Version));
        telemetry.WithMetrics(metrics =>
        {
            foreach (var name in Unwanted) metrics.AddView(name, MetricStreamConfiguration.Drop);
            metrics
                .AddMeter(
                    ServerMeter.Name, Timings.MeterName, "System.Runtime", "Microsoft.AspNetCore.Hosting",
                    "Microsoft.AspNetCore.Server.Kestrel")
                .AddView(RequestDuration, RequestBuckets)
                .AddPrometheusExporter(options => options.ScrapeResponseCacheDurationMilliseconds = 0);
            if (sends) metrics.AddOtlpExporter();
        });
        if (sends) telemetry.WithTracing(traces => traces.AddSource(Spans.SourceName).AddOtlpExporter());
    }

    /// <summary>What answers <c>GET /metrics</c>.</summary>
    public static RequestDelegate BuildMetrics(IServiceProvider services)
    {
        var branch = new ApplicationBuilder(services);
        branch.UseOpenTelemetryPrometheusScrapingEndpoint(_ => true);
        return branch.Build();
    }
}
