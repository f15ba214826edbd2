using System.Text.Json;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Operations;

/// <summary>The routes that tell whether the server lives and whether it can take events.</summary>
/// <param name="time">For the timestamps.</param>
/// <param name="readState">Whether events can be taken now; called for each question, so it must be cheap.</param>
/// <param name="figures">What <c>/metrics</c> shows, for the detailed answer.</param>
/// <param name="readDetail">The rest of the detailed answer.</param>
internal sealed class HealthRoutes(TimeProvider time, Func<ReadyState> readState, ServerMeter figures, Func<ServerDetail> readDetail)
{
    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.MapBoth(HttpMethods.Get, "/health", (context, _) => StatusAsync(context, "healthy"));
        routes.Map(HttpMethods.Get, "/health/live", (context, _) => StatusAsync(context, "ok"));
        routes.Map(HttpMethods.Get, "/health/ready", (context, _) => ReadyAsync(context, detailed: false));
        routes.MapBoth(HttpMethods.Get, "/health/detailed", (context, _) => ReadyAsync(context, detailed: true));
    }

    private Task StatusAsync(HttpContext context, string status) =>
        Answers.JsonAsync(context, StatusCodes.Status200OK, (status, Now), static (writer, s) =>
    {
        writer.WriteStartObject();
        writer.WriteString("status"u8, s.status);
        writer.WriteString("timestamp"u8, s.Now);
        writer.WriteEndObject();
    });

    private Task ReadyAsync(HttpContext context, bool detailed)
    {
        var state = readState();
        var status = state.Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        if (!state.Ready) context.Response.Headers.RetryAfter = "1";
        return Answers.JsonAsync(context, status, (state, Now, figures: detailed ? figures : null, detail: detailed ? readDetail() : null), static (writer, s) =>
        {
            writer.WriteStartObject();
            writer.WriteString("status"u8, s.state.Ready ? "ready"u8 : "not_ready"u8);
            if (!s.state.Ready) writer.WriteString("reason"u8, s.state.Reasons.FirstOrDefault("unknown"));
            writer.WriteString("database"u8, s.state.Database);
            writer.WriteString("timestamp"u8, s.Now);
            WriteList(writer, s.state.Reasons);
            s.detail?.Write(writer);
            if (s.figures is not null) WriteFigures(writer, s.figures);
            writer.WriteEndObject();
        });
    }

    private static void WriteList(Utf8JsonWriter writer, IReadOnlyList<string> reasons)
    {
        if (reasons.Count == 0) return;
        writer.WriteStartArray("reasons"u8);
        foreach (var reason in reasons) writer.WriteStringValue(reason);
        writer.WriteEndArray();
    }

    private static void WriteFigures(Utf8JsonWriter writer, ServerMeter figures)
    {
        writer.WriteStartObject("figures"u8);
        foreach (var (name, value) in figures.Read()) writer.WriteNumber(name, value);
        writer.WriteEndObject();
    }

    private string Now => time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
