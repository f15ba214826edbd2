using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Operations.Pages;

/// <summary>
/// A document, page, script or style that does not change while the server runs: compressed once, sent whole, and known again by its ETag.
/// </summary>
internal sealed class PageFile
{
    private readonly byte[] _plain;
    private readonly Lazy<byte[]> _gzip;
    private readonly Lazy<byte[]> _brotli;
    private readonly string _contentType;
    private readonly StringValues _etag;
    private readonly string? _policy;

    /// <summary>A file with these bytes.</summary>
    /// <param name="plain">The bytes.</param>
    /// <param name="contentType">Its media type.</param>
    /// <param name="policy">The Content-Security-Policy of a page; null for what is none.</param>
    public PageFile(byte[] plain, string contentType, string? policy = null)
    {
        (_plain, _contentType, _policy) = (plain, contentType, policy);
        _etag = $"\"{Convert.ToHexStringLower(SHA256.HashData(plain).AsSpan(0, 12))}\"";
        _gzip = new(() => Compress(stream => new GZipStream(stream, CompressionLevel.Optimal)));
        _brotli = new(() => Compress(stream => new BrotliStream(stream, CompressionLevel.Optimal)));
    }

    /// <summary>A text.</summary>
    public PageFile(string text, string contentType, string? policy = null)
        : this(Encoding.UTF8.GetBytes(text), contentType, policy)
    {
    }

    /// <summary>What it holds.</summary>
    public ReadOnlyMemory<byte> Bytes => _plain;

    /// <summary>The text of a resource in this program, given the end of its name: <c>Dashboard.dashboard.js</c>.</summary>
    public static string ReadText(string name) =>
        Encoding.UTF8.GetString(Read(typeof(PageFile).Assembly, $"ZapierTriggers.Server.Operations.{name}"));

    /// <summary>The bytes of a resource; unpacked when it is kept packed (gzip).</summary>
    public static byte[] Read(Assembly assembly, string name)
    {
        using var resource = assembly.GetManifestResourceStream(name)
            ?? throw new FileNotFoundException($"{name} is not in {assembly.GetName().Name}.");
        using var raw = new MemoryStream();
        resource.CopyTo(raw);
        if (!raw.GetBuffer().AsSpan(0, 2).SequenceEqual((ReadOnlySpan<byte>)[0x1F, 0x8B])) return raw.ToArray();
        raw.Position = 0;
        using var unpacked = new MemoryStream();
        using (var gzip = new GZipStream(raw, CompressionMode.Decompress)) gzip.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    /// <summary>Sends it, or 304 to who has it. It is asked for again each time, so that an update shows at once.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        var (request, headers) = (context.Request, context.Response.Headers);
        headers.ETag = _etag;
        headers.CacheControl = "no-cache";
        headers.Append(HeaderNames.Vary, "Accept, Accept-Encoding");
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        if (_policy is not null)
        {
            headers.ContentSecurityPolicy = _policy;
            headers.XFrameOptions = "DENY";
        }

        if (request.Headers.IfNoneMatch.Contains(_etag.ToString()))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var (bytes, coding) = ContentCoding.Choose(request.Headers) switch
        {
            ContentCoding.Brotli => (_brotli.Value, "br"),
            ContentCoding.Gzip => (_gzip.Value, "gzip"),
            _ => (_plain, null),
        };
        if (coding is not null) headers.ContentEncoding = coding;
        context.Response.ContentType = _contentType;
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(request.Method)) await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted);
    }

    private byte[] Compress(Func<Stream, Stream> open)
    {
        using var packed = new MemoryStream();
        using (var packer = open(packed)) packer.Write(_plain);
        return packed.ToArray();
    }
}
