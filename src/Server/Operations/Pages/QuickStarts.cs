using System.Net;
using System.Text;

namespace ZapierTriggers.Server.Operations.Pages;

/// <summary>The quick starts of <c>docs/quickstarts</c> as a page, so that a server has them with it.</summary>
internal static class QuickStarts
{
    private static readonly (string Name, string File)[] All =
        [("curl", "quickstart.sh"), ("C#", "quickstart.cs"), ("Python", "quickstart.py"), ("JavaScript", "quickstart.mjs")];

    /// <summary>The page.</summary>
    public static string Html()
    {
        var page = new StringBuilder("""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Zapier Triggers: quick starts</title>
            <link rel="icon" href="data:,">
            <link rel="stylesheet" href="/docs/page.css">
            </head>
            <body>
            <main>
            <h1>Quick starts</h1>
            <p class="lead">Send an event, send many, read the inbox, acknowledge, verify a webhook: each one file without a library, which takes
            this server's address from ZAPIER_URL and the key from ZAPIER_KEY. <a href="/docs">The reference</a> has every call.</p>

            """);
        foreach (var (name, file) in All)
        {
            var text = WebUtility.HtmlEncode(PageFile.ReadText($"QuickStarts.{file}"));
            var anchor = file[(file.IndexOf('.', StringComparison.Ordinal) + 1)..];
            page.Append($"<section id=\"{anchor}\">\n<h2>{name}</h2>\n<pre>{text}</pre>\n</section>\n");
        }

        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }
}
