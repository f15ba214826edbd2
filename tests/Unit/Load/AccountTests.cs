using System.Collections.Concurrent;
using ZapierTriggers.Load.Core.CommandLine;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>The organization that a run sends for, and its webhook.</summary>
public sealed class AccountTests
{
    private static readonly Uri Hook = new("http://127.0.0.1:9/hook");

    [Fact]
    public async Task A_webhook_that_is_taken_has_a_secret()
    {
        var calls = new ConcurrentQueue<string>();
        await using var server = new StubServer(request =>
        {
            calls.Enqueue(request.Head);
            return StubServer.Answer(200, "{\"success\":true,\"secret\":\"whsec_x\"}");
        });
        using var account = await Account.OpenAsync(server.Url, "key", adminToken: null, "unit");

        Assert.Equal("whsec_x", await account.SetWebhookAsync(Hook));
        Assert.StartsWith("POST /api/webhook/config ", calls.First());
    }

    [Fact]
    public async Task A_server_that_sends_nothing_to_this_machine_is_told_how_to_be_started()
    {
        const string Problem = """
            {"title":"Invalid webhook URL","status":422,"detail":"127.0.0.1 is loopback.","code":"invalid_url","field":"webhook_url"}
            """;
        var message = await RefusalAsync(422, Problem);

        Assert.Contains("Delivery__AllowedNetworks=127.0.0.0/8", message);
        Assert.Contains("127.0.0.1 is loopback.", message);
        Assert.DoesNotContain("{", message);
    }

    [Theory]
    [InlineData(403, "{\"code\":\"insufficient_scope\",\"detail\":\"The key may not.\"}", "The key may not.")]
    [InlineData(404, "nothing here", "nothing here")]
    [InlineData(422, "[1]", "[1]")]
    [InlineData(422, "{\"code\":7}", "{\"code\":7}")]
    public async Task Another_refusal_is_told_as_it_is(int status, string body, string told) =>
        Assert.Equal($"The server refused the webhook ({status}): {told}", await RefusalAsync(status, body));

    private static async Task<string> RefusalAsync(int status, string body)
    {
        await using var server = new StubServer(_ => StubServer.Answer(status, body));
        using var account = await Account.OpenAsync(server.Url, "key", adminToken: null, "unit");
        return (await Assert.ThrowsAsync<UsageException>(() => account.SetWebhookAsync(Hook))).Message;
    }
}
