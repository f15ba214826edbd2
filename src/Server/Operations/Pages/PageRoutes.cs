using System.Collections.Frozen;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Operations.Pages;

/// <summary>The pages for people and the OpenAPI document for programs. All of them are there from the start, ready or not.</summary>
internal sealed class PageRoutes
{
    private const string Html = "text/html; charset=utf-8";
    private const string Css = "text/css; charset=utf-8";
    private const string Script = "text/javascript; charset=utf-8";

    private static readonly System.Reflection.Assembly ScalarPackage = typeof(Scalar.AspNetCore.ScalarOptions).Assembly;

    private readonly PageFile _openApi = new(OpenApiDocument.Text, "application/json");
    private readonly PageFile _reference = new(PageFile.ReadText("Reference.reference.html"), Html, PagePolicy.Reference);
    private readonly PageFile _errors = new(ErrorCatalogue.Html(), Html, PagePolicy.Strict);
    private readonly PageFile _quickStarts = new(QuickStarts.Html(), Html, PagePolicy.Strict);
    private readonly PageFile _dashboard = new(PageFile.ReadText("Dashboard.dashboard.html"), Html, PagePolicy.Strict);

    // Made at the first request: the reference's program has some MiB.
    private readonly FrozenDictionary<string, Lazy<PageFile>> _assets = new Dictionary<string, Lazy<PageFile>>(StringComparer.Ordinal)
    {
        ["scalar.js"] = new(() => new(PageFile.Read(ScalarPackage, "ScalarStaticAssets.scalar.js"), Script)),
        ["reference.js"] = new(() => new(PageFile.ReadText("Reference.reference.js"), Script)),
        ["page.css"] = new(() => new(PageFile.ReadText("Reference.page.css"), Css)),
        ["dashboard.css"] = new(() => new(PageFile.ReadText("Dashboard.dashboard.css"), Css)),
        ["dashboard.js"] = new(() => new(PageFile.ReadText("Dashboard.dashboard.js"), Script)),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.Map(HttpMethods.Get, "/openapi.json", (context, _) => _openApi.AnswerAsync(context));
        routes.Map(HttpMethods.Get, "/api/openapi", (context, _) => _openApi.AnswerAsync(context));
        routes.MapBoth(HttpMethods.Get, "/docs", (context, _) => _reference.AnswerAsync(context));
        routes.Map(HttpMethods.Get, "/redoc", (context, _) => _reference.AnswerAsync(context));
        routes.Map(HttpMethods.Get, "/docs/errors", (context, _) => _errors.AnswerAsync(context));
        routes.Map(HttpMethods.Get, "/docs/quickstarts", (context, _) => _quickStarts.AnswerAsync(context));
        routes.Map(HttpMethods.Get, "/docs/{id}", (context, name) => AssetAsync(context, name!));
        routes.Map(HttpMethods.Get, "/", (context, _) => RootAsync(context));
    }

    private Task AssetAsync(HttpContext context, string name) => _assets.TryGetValue(name, out var asset)
        ? asset.Value.AnswerAsync(context)
        : Answers.ProblemAsync(context, Problem.NotFound, "The documentation has no such part. GET /docs is where it begins.");

    /// <summary>The dashboard for browsers, which say that they take HTML; a greeting for the others.</summary>
    private Task RootAsync(HttpContext context)
    {
        if (context.Request.Headers.Accept.Any(static line => line?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true))
            return _dashboard.AnswerAsync(context);
        context.Response.Headers.Append("Vary", "Accept");
        return Answers.JsonAsync(context, StatusCodes.Status200OK, 0, static (writer, _) =>
        {
            writer.WriteStartObject();
            writer.WriteString("status"u8, "ok"u8);
            writer.WriteString("message"u8, "Zapier Triggers: POST /api/events takes events, GET /docs tells the rest."u8);
            writer.WriteEndObject();
        });
    }
}
