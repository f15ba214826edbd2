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
    public async Task By_curl(int size)
    {
        var tenant = await fixture.Server.NewTenantAsync();
        var start = new ProcessStartInfo(
            "curl",
            [
                "--silent", "--show-error", "--noproxy", "*", "--max-time", "60", "--data-binary", "@-",
                "--output", "-", "--write-out", "\n%{http_code}",
                "--header", $"X-API-Key: {tenant.Key}", "--header", "Content-Type: application/json",
                new Uri(fixture.Server.Address, "/api/events").ToString(),
            ])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var curl = Process.Start(start)!;
        await curl.StandardInput.WriteAsync(BodyOf(size));
        curl.StandardInput.Close();
        var output = await curl.StandardOutput.ReadToEndAsync();
        await curl.WaitForExitAsync();

        Assert.Equal(0, curl.ExitCode);
        Assert.Contains("\"code\":\"payload_too_large\"", output, StringComparison.Ordinal);
        Assert.EndsWith("\n413", output, StringComparison.Ordinal);
    }

    /// <summary>A body of exactly this size.</summary>
    private static string BodyOf(int size) => """{"type":"a","payload":{}}""".PadRight(size);

    private static void Check(Reply reply) => reply.Problem(413, "payload_too_large", "Payload too large", "limit_bytes");
}
