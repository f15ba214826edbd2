using System.Net;
using System.Text;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Operations.Pages;

/// <summary>All problems as a page, where the <c>type</c> of each leads, and as Markdown for <c>docs/errors.md</c>.</summary>
internal static class ErrorCatalogue
{
    private const string Lead =
        "Every refusal is application/problem+json (RFC 9457) with type, title, status, detail, code, error (= title) and message (= detail). "
        + "Programs compare code.";

    /// <summary>The page.</summary>
    public static string Html()
    {
        var page = new StringBuilder("""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Zapier Triggers: errors</title>
            <link rel="icon" href="data:,">
            <link rel="stylesheet" href="/docs/page.css">
            </head>
            <body>
            <main>
            <h1>Errors</h1>

            """);
        page.Append($"<p class=\"lead\">{Lead} <a href=\"/docs\">The reference</a> says which call answers which.</p>\n");
        foreach (var problem in Problem.All) page.Append(Section(problem));
        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    /// <summary>The same as Markdown.</summary>
    public static string Markdown()
    {
        var page = new StringBuilder($"""
            # Errors

            This page is made from the program: `dotnet run --project src/Server -- errors` prints it, and a server shows it under `/docs/errors`.

            {Lead}

            | status | code | title | when | what to do | further fields |
            |---|---|---|---|---|---|

            """);
        foreach (var one in Problem.All)
        {
            var fields = string.Join(", ", one.Fields.Select(field => $"`{field}`"));
            page.Append($"| {one.Status} | `{one.Code}` | {one.Title} | {one.When} | {one.Remedy} | {fields} |\n");
        }

        return page.ToString();
    }

    private static string Section(Problem one)
    {
        var names = string.Join(", ", one.Fields.Select(field => $"<code>{Text(field)}</code>"));
        var fields = names.Length == 0 ? "" : $"<p class=\"what\">Further fields: {names}</p>\n";
        return $"""
            <section id="{Text(one.Code)}">
            <h2><a href="#{Text(one.Code)}"><span class="status">{one.Status}</span>{Text(one.Title)}</a></h2>
            <p><code>{Text(one.Code)}</code></p>
            <p>{Text(one.When)}</p>
            <p><strong>What to do:</strong> {Text(one.Remedy)}</p>
            {fields}</section>

            """;
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
