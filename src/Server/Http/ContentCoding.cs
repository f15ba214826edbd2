using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.Net.Http.Headers;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// Compressing answers for who asks for it (RFC 9110, 12.5.3). Only pages and lists: small answers gain nothing, and an answer that holds a
/// secret beside what a caller can choose would tell the secret by its length (BREACH); lists hold none.
/// </summary>
internal static class ContentCoding
{
    /// <summary>Brotli, by its number here.</summary>
    public const int Brotli = 2;

    /// <summary>Gzip, by its number here.</summary>
    public const int Gzip = 1;

    /// <summary>Bytes from which compressing pays: less fits into one packet anyway.</summary>
    public const int LeastBytes = 1400;

    /// <summary>What the caller takes: <see cref="Brotli"/>, <see cref="Gzip"/> or 0.</summary>
    public static int Choose(IHeaderDictionary headers)
    {
        var best = 0;
        foreach (var line in headers.AcceptEncoding)
        {
            foreach (var part in (line ?? "").Split(','))
            {
                var semicolon = part.IndexOf(';', StringComparison.Ordinal);
                var name = (semicolon < 0 ? part : part[..semicolon]).Trim().ToLowerInvariant();
                var coding = name switch { "br" => Brotli, "gzip" or "x-gzip" => Gzip, _ => 0 };
                if (coding > best && !IsRefused(semicolon < 0 ? "" : part[(semicolon + 1)..])) best = coding;
            }
        }

        return best;
    }

    /// <summary>
    /// Where to write a list of about this many bytes: the response itself, or what compresses into it, to be completed by the caller.
    /// </summary>
    public static PipeWriter OutputOf(HttpContext context, long bytes)
    {
        if (bytes < LeastBytes) return context.Response.BodyWriter;
        var headers = context.Response.Headers;
        headers.Append(HeaderNames.Vary, "Accept-Encoding");
        var coding = Choose(context.Request.Headers);
        if (coding == 0) return context.Response.BodyWriter;
        headers.ContentEncoding = coding == Brotli ? "br" : "gzip";
        context.Response.ContentLength = null;
        var body = context.Response.Body;
        Stream packer = coding == Brotli
            ? new BrotliStream(body, CompressionLevel.Fastest, leaveOpen: true)
            : new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true);
        return PipeWriter.Create(packer);
    }

    private static bool IsRefused(string parameters) =>
        parameters.Trim() is ['q' or 'Q', '=', .. var weight]
        && double.TryParse(weight, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number == 0;
}
