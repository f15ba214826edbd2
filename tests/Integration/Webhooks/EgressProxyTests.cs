using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>Webhooks through an egress proxy, by the test route, which sends and shows as every path does.</summary>
public sealed class EgressProxyTests
{
    [Fact]
    public async Task An_http_webhook_goes_through_it_in_the_absolute_form_and_the_proxy_resolves_the_name()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var proxy = new SmallProxy();
        await using var server = await StartAsync($"http://127.0.0.1:{proxy.Port}");
        var tenant = await server.NewTenantAsync();
        var url = receiver.Url.Replace("127.0.0.1", "hooks.invalid", StringComparison.Ordinal);
        await tenant.SetWebhookAsync(url);

        var id = (await tenant.PostEventAsync("""{"type":"t","payload":{}}""")).Accepted();

        await Poll.UntilAsync(() => receiver.CountOf(id) == 1, "the webhook");
        Assert.StartsWith($"POST {url} HTTP/1.1\r\n", Assert.Single(proxy.Heads), StringComparison.Ordinal);
        Assert.DoesNotContain("Proxy-Authorization", proxy.Heads.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_https_webhook_goes_through_a_tunnel_in_which_the_certificate_is_checked()
    {
        using var certificate = SelfSigned();
        await using var receiver = new RawServer((socket, _, cancel) => HandshakeAsync(socket, certificate, cancel));
        await using var proxy = new SmallProxy();
        await using var server = await StartAsync($"http://127.0.0.1:{proxy.Port}");

        var (success, error) = await TestAsync(server, $"https://hooks.invalid:{receiver.Port}/hook");

        Assert.False(success);
        Assert.StartsWith("The TLS handshake failed:", error, StringComparison.Ordinal);
        Assert.StartsWith($"CONNECT hooks.invalid:{receiver.Port} HTTP/1.1\r\n", Assert.Single(proxy.Heads), StringComparison.Ordinal);
        Assert.Equal(1, receiver.Connections);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task One_that_is_not_there_is_named(string scheme)
    {
        var proxy = new SmallProxy();
        var port = proxy.Port;
        await proxy.DisposeAsync();
        await using var server = await StartAsync($"http://127.0.0.1:{port}");

        var (_, error) = await TestAsync(server, $"{scheme}://hooks.invalid/");

        Assert.Equal($"The proxy http://127.0.0.1:{port} cannot be reached: refused.", error);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task One_that_asks_for_credentials_that_were_not_given_is_named(string scheme)
    {
        await using var proxy = new SmallProxy { Asks = "me:secret" };
        await using var server = await StartAsync($"http://127.0.0.1:{proxy.Port}");

        var (_, error) = await TestAsync(server, $"{scheme}://hooks.invalid/");

        Assert.Equal($"The proxy http://127.0.0.1:{proxy.Port} asks for a user and password (407); give them in Delivery:Proxy.", error);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task One_that_refuses_the_credentials_is_named_and_they_are_not(string scheme)
    {
        await using var proxy = new SmallProxy { Asks = "me:secret" };
        await using var server = await StartAsync($"http://me:wrong@127.0.0.1:{proxy.Port}");

        var (_, error) = await TestAsync(server, $"{scheme}://hooks.invalid/");

        Assert.Equal($"The proxy http://127.0.0.1:{proxy.Port} does not take the user and password of Delivery:Proxy (407).", error);
    }

    [Fact]
    public async Task The_right_credentials_open_it_and_no_receiver_sees_them()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var proxy = new SmallProxy { Asks = "me:p@ss" };
        await using var server = await StartAsync($"http://me:p%40ss@127.0.0.1:{proxy.Port}");

        var (success, error) = await TestAsync(server, receiver.Url.Replace("127.0.0.1", "hooks.invalid", StringComparison.Ordinal));

        Assert.True(success, error);
        Assert.Contains("Proxy-Authorization: Basic", proxy.Heads.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_it_cannot_reach_is_its_answer()
    {
        var gone = new RawServer(static (_, _, _) => Task.CompletedTask);
        var port = gone.Port;
        await gone.DisposeAsync();
        await using var proxy = new SmallProxy();
        await using var server = await StartAsync($"http://127.0.0.1:{proxy.Port}");

        var (_, error) = await TestAsync(server, $"https://hooks.invalid:{port}/");

        Assert.StartsWith($"The proxy http://127.0.0.1:{proxy.Port} opened no way to the receiver:", error, StringComparison.Ordinal);
        Assert.Contains("502", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Literal_blocked_addresses_are_refused_without_a_connection_to_it_also_when_they_were_registered_earlier()
    {
        const string Metadata = "http://169.254.169.254/latest";
        await using var proxy = new SmallProxy();
        await using var server = await StartAsync($"http://127.0.0.1:{proxy.Port}", "Delivery:AllowedNetworks=169.254.169.254/32");
        var tenant = await server.NewTenantAsync();
        var made = await tenant.PostAsync("/api/endpoints", $$"""{"url":"{{Metadata}}"}""");
        Assert.Equal(201, made.Status);
        await server.StopAsync();
        await server.StartAsync("Delivery:AllowedNetworks=");

        (await tenant.PostAsync("/api/endpoints", $$"""{"url":"{{Metadata}}"}""")).Problem(422, "invalid_url", "Invalid webhook URL", "field");
        var test = (await tenant.PostAsync($"/api/endpoints/{(string)made.Json["id"]!}/test")).Json;
        Assert.Contains("link-local", (string)test["error"]!, StringComparison.Ordinal);
        var id = (await tenant.PostEventAsync("""{"type":"t","payload":{}}""")).Accepted();
        await Poll.UntilAsync(
            async () => (string?)(await tenant.GetAsync($"/api/events/{id}")).Json["status"] == "dead_letter", "the dead letter");
        Assert.Equal(0, proxy.Connections);
    }

    [Fact]
    public async Task A_bad_one_stops_the_start_and_its_password_is_not_shown()
    {
        var error = await Assert.ThrowsAsync<StartupException>(() => StartAsync("http://me:hunter2@proxy.example/path"));

        Assert.Contains(
            "Delivery:Proxy: its value (not shown) is not allowed; use a proxy such as http://proxy.example.com:3128", error.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
    }

    private static Task<ServerUnderTest> StartAsync(string proxy, params string[] settings) =>
        ServerUnderTest.StartAsync(StoreKind.Sqlite, [$"Delivery:Proxy={proxy}", "Delivery:AllowPrivateNetworks=false", .. settings]);

    private static async Task<(bool Success, string? Error)> TestAsync(ServerUnderTest server, string url)
    {
        var tenant = await server.NewTenantAsync();
        var made = await tenant.PostAsync("/api/endpoints", new JsonObject { ["url"] = url }.ToJsonString());
        Assert.Equal(201, made.Status);
        var test = (await tenant.PostAsync($"/api/endpoints/{(string)made.Json["id"]!}/test")).Json;
        return ((bool)test["success"]!, (string?)test["error"]);
    }

    private static async Task HandshakeAsync(Socket socket, X509Certificate2 certificate, CancellationToken cancel)
    {
        await using var tls = new SslStream(new NetworkStream(socket));
        try
        {
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancel);
            _ = await tls.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, cancel);
        }
        catch (Exception exception) when (exception is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client does not want this certificate.
        }
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=hooks.invalid", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), password: null);
    }
}
