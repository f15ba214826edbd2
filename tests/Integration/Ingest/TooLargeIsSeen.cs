using System.Diagnostics;
using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Ingest;

/// <summary>A client that sends too much sees the 413, not a reset, whether or not it reads while it sends.</summary>
public sealed class TooLargeIsSeen(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    public static TheoryData<int> Sizes => [300 * 1024, 1024 * 1024];

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task By_an_HttpClient(int size)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        for (var i = 0; i < 10; i++) Check(await tenant.PostEventAsync(BodyOf(size)));
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task By_a_socket_that_reads_only_when_all_is_sent(int size)
    {
        var tenant = await fixture.Server.NewTenantAsync();

        for (var i = 0; i < 10; i++)
        {
            using var client = await RawClient.ConnectAsync(fixture.Server);
            await client.SendAsync(RawClient.Request(tenant, BodyOf(size)));
            Check(await client.ReadReplyAsync());
            await client.SendAsync(RawClient.Request(tenant, """{"type":"a","payload":{}}"""));
            (await client.ReadReplyAsync()).Accepted();
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task By_a_socket_that_sends_chunks(int size)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        using var client = await RawClient.ConnectAsync(fixture.Server);

        await client.SendAsync(RawClient.Head(tenant, "Transfer-Encoding: chunked"));
        await client.SendAsync(Encoding.UTF8.GetBytes($"{size:x}\r\n{BodyOf(size)}\r\n0\r\n\r\n"));

        Check(await client.ReadReplyAsync());
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public Task By_curl(int size) => CheckProgramAsync(
        size,
        "curl",
        tenant =>
        [
            "--silent", "--show-error", "--noproxy", "*", "--max-time", "60", "--data-binary", "@-", "--output", "-", "--write-out",
            "\n%{http_code}",
            "--header", $"X-API-Key: {tenant.Key}", "--header", "Content-Type: application/json", EventsUrl,
        ]);

    [Theory]
    [MemberData(nameof(Sizes))]
    public Task By_Pythons_http_client(int size) => CheckProgramAsync(size, "python3", tenant =>
        ["-c", HttpClientScript, EventsUrl, tenant.Key]);

    [Theory]
    [MemberData(nameof(Sizes))]
    public Task By_Pythons_urllib(int size) => CheckProgramAsync(size, "python3", tenant => ["-c", UrllibScript, EventsUrl, tenant.Key]);

    private const string HttpClientScript = """
        import http.client, sys, urllib.parse
        url = urllib.parse.urlsplit(sys.argv[1])
        client = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        client.request("POST", url.path, body=sys.stdin.buffer.read(), headers={"X-API-Key": sys.argv[2], "Content-Type": "application/json"})
        answer = client.getresponse()
        print(answer.read().decode(), answer.status, sep="\n", end="")
        """;

    private const string UrllibScript = """
        import sys, urllib.error, urllib.request
        request = urllib.request.Request(sys.argv[1], data=sys.stdin.buffer.read(), headers={"X-API-Key": sys.argv[2], "Content-Type": "application/json"})
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)
        except urllib.error.HTTPError as answer:
            print(answer.read().decode(), answer.code, sep="\n", end="")
        """;

    private string EventsUrl => new Uri(fixture.Server.Address, "/api/events").ToString();

    private async Task CheckProgramAsync(int size, string program, Func<Tenant, IEnumerable<string>> arguments)
    {
        var isHere = Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)));
        Assert.SkipUnless(isHere, $"{program} is not installed here.");
        var tenant = await fixture.Server.NewTenantAsync();
        var start = new ProcessStartInfo(program, arguments(tenant))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true
        };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(BodyOf(size));
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.Equal(0, process.ExitCode);
        Assert.Contains("\"code\":\"payload_too_large\"", output, StringComparison.Ordinal);
        Assert.EndsWith("\n413", output, StringComparison.Ordinal);
    }

    /// <summary>A body of exactly this size.</summary>
    private static string BodyOf(int size) => """{"type":"a","payload":{}}""".PadRight(size);

    private static void Check(Reply reply) => reply.Problem(413, "payload_too_large", "Payload too large", "limit_bytes");
}
