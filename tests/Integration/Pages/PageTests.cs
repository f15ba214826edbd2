using System.IO.Compression;
using System.Text.RegularExpressions;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Pages;

public sealed class PageTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    [Theory]
    [InlineData("/api/docs")]
    [InlineData("/docs")]
    [InlineData("/redoc")]
    [InlineData("/docs/errors")]
    [InlineData("/docs/quickstarts")]
    [InlineData("/")]
    public async Task A_page_allows_nothing_from_elsewhere(string path)
    {
        using var answer = await GetAsync(path, ("Accept", "text/html,*/*;q=0.8"));

        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self'; ", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        var html = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotMatch(new Regex("""(src|href)="(https?:)?//""", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)), html);
        Assert.DoesNotMatch(new Regex("<(script|style)>| on[a-z]+=| style=", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)), html);
    }

    [Theory]
    [InlineData("scalar.js", "text/javascript")]
    [InlineData("reference.js", "text/javascript")]
    [InlineData("page.css", "text/css")]
    [InlineData("dashboard.css", "text/css")]
    [InlineData("dashboard.js", "text/javascript")]
    public async Task Their_parts_are_served_and_compressed_for_who_asks(string name, string mediaType)
    {
        using var plain = await GetAsync($"/docs/{name}");
        Assert.Equal(mediaType, plain.Content.Headers.ContentType!.MediaType);
        var bytes = await plain.Content.ReadAsByteArrayAsync();

        using var packed = await GetAsync($"/docs/{name}", ("Accept-Encoding", "gzip"));
        Assert.Equal(["gzip"], packed.Content.Headers.ContentEncoding);
        await using var unpacked = new GZipStream(await packed.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var whole = new MemoryStream();
        await unpacked.CopyToAsync(whole);
        Assert.Equal(bytes, whole.ToArray());
    }

    [Fact]
    public async Task What_is_no_part_is_not_found()
    {
        using var answer = await GetAsync("/docs/nothing.js");
        (await Reply.ReadAsync(answer)).Problem(404, "not_found", "Not found");
    }

    [Fact]
    public async Task Other_clients_get_the_greeting()
    {
        using var answer = await GetAsync("/");
        Assert.Equal(
            """{"status":"ok","message":"Zapier Triggers: POST /api/events takes events, GET /docs tells the rest."}""",
            await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_type_of_every_problem_leads_to_its_description()
    {
        using var answer = await GetAsync("/docs/errors");
        var html = await answer.Content.ReadAsStringAsync();
        Assert.All(Problem.All, problem =>
        {
            Assert.Equal($"/docs/errors#{problem.Code}", problem.Type);
            Assert.Contains($"<section id=\"{problem.Code}\">", html, StringComparison.Ordinal);
        });
    }

    private async Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await fixture.Server.Client.SendAsync(request);
    }
}
