using System.IO.Compression;
using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>What all routes have in common: methods, compression, the handshake of senders of CloudEvents.</summary>
public sealed class SurfaceTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    [Fact]
    public async Task Every_path_tells_its_methods_to_who_uses_another()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        foreach (var path in fixture.Server.Routes.GroupBy(
            route => route.Template.Replace("{id}", "x", StringComparison.Ordinal), route => route.Method))
        {
            var reply = await tenant.SendAsync(HttpMethod.Put, path.Key, body: null, ("X-API-Key", tenant.Key));

            reply.Problem(405, "method_not_allowed", "Method not allowed");
            Assert.Equal(string.Join(", ", path.Order(StringComparer.Ordinal)), reply.Headers["Allow"]);
        }
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    [InlineData("gzip;q=0.5, br;q=0.9")]
    public async Task A_long_list_is_compressed_for_who_asks(string codings)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var text = new string('x', 200);
        for (var i = 0; i < 8; i++)
            (await tenant.PostEventAsync($$"""{"type":"long.list","payload":{"text":"{{text}}","no":{{i}} } }""")).Accepted();
        var plain = await tenant.GetAsync("/api/inbox");

        var packed = await AskAsync(tenant, "/api/inbox", codings);

        var coding = codings.Contains("br", StringComparison.Ordinal) ? "br" : "gzip";
        Assert.Equal(coding, packed.Headers["Content-Encoding"]);
        Assert.Contains("Accept-Encoding", packed.Headers["Vary"], StringComparison.Ordinal);
        Assert.True(packed.Bytes.Length < plain.Bytes.Length / 2);
        Assert.Equal(plain.Text, await UnpackAsync(packed.Bytes, coding));
    }

    [Theory]
    [InlineData("br;q=0, gzip;q=0")]
    [InlineData("identity")]
    [InlineData("deflate")]
    public async Task For_others_it_is_not(string codings)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        for (var i = 0; i < 8; i++) (await tenant.PostEventAsync($$"""{"type":"long.list","payload":{"no":{{i}} } }""")).Accepted();

        Assert.False((await AskAsync(tenant, "/api/inbox", codings)).Headers.ContainsKey("Content-Encoding"));
    }

    [Fact]
    public async Task Neither_short_lists_nor_answers_with_secrets_are()
    {
        var tenant = await fixture.Server.NewTenantAsync();
        await tenant.SetWebhookAsync("http://127.0.0.1:9/hook");
        var id = (await tenant.PostEventAsync($$"""{"type":"long","payload":{"text":"{{new string('x', 5000)}}"} }""")).Accepted();

        foreach (var path in (string[])["/api/endpoints", "/api/keys", $"/api/events/{id}", "/api/replays"])
            Assert.False((await AskAsync(tenant, path, "br, gzip")).Headers.ContainsKey("Content-Encoding"), path);
    }

    [Theory]
    [InlineData("/api/events")]
    [InlineData("/events/batch")]
    public async Task A_sender_of_CloudEvents_may_ask_whether_it_may_send(string path)
    {
        var tenant = await fixture.Server.NewTenantAsync("pro");
        (string Name, string? Value)[] asks = [("WebHook-Request-Origin", "eventemitter.example.com"), ("WebHook-Request-Rate", "120")];

        var stranger = await tenant.SendAsync(HttpMethod.Options, path, body: null, asks);
        Assert.Equal(204, stranger.Status);
        Assert.Equal("eventemitter.example.com", stranger.Headers["WebHook-Allowed-Origin"]);
        Assert.Equal("100", stranger.Headers["WebHook-Allowed-Rate"]);

        var known = await tenant.SendAsync(HttpMethod.Options, path, body: null, [.. asks, ("X-API-Key", tenant.Key)]);
        Assert.Equal("1000", known.Headers["WebHook-Allowed-Rate"]);
        Assert.Equal(path.EndsWith("/batch", StringComparison.Ordinal) ? "OPTIONS, POST" : "DELETE, OPTIONS, POST", known.Headers["Allow"]);

        var plain = await tenant.SendAsync(HttpMethod.Options, path, body: null);
        Assert.Equal(204, plain.Status);
        Assert.False(plain.Headers.ContainsKey("WebHook-Allowed-Origin"));
    }

    private static Task<Reply> AskAsync(Tenant tenant, string path, string codings) =>
        tenant.SendAsync(HttpMethod.Get, path, body: null, ("X-API-Key", tenant.Key), ("Accept-Encoding", codings));

    private static async Task<string> UnpackAsync(byte[] bytes, string coding)
    {
        using var packed = new MemoryStream(bytes);
        await using Stream unpacked = coding == "br"
            ? new BrotliStream(packed, CompressionMode.Decompress)
            : new GZipStream(packed, CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked, Encoding.UTF8);
        return await reader.ReadToEndAsync();
    }
}
