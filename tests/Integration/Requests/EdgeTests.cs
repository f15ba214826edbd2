using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>What the server makes of where a request comes from and of the address it comes to.</summary>
public sealed class EdgeTests
{
    [Fact]
    public async Task A_named_proxy_is_believed_about_its_client()
    {
        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, "Http:KnownProxies=127.0.0.0/8,10.0.0.0/8", "Registration:PerAddressPerMinute=1", "Http:HstsMaxAge=1h");

        Assert.Equal(201, (await RegisterAsync(server, ("X-Forwarded-For", "203.0.113.1"))).Status);
        Assert.Equal(429, (await RegisterAsync(server, ("X-Forwarded-For", "203.0.113.1"))).Status);
        Assert.Equal(201, (await RegisterAsync(server, ("X-Forwarded-For", "203.0.113.2"))).Status);

        // What a client writes itself stands before what the proxies add, and is not believed.
        Assert.Equal(429, (await RegisterAsync(server, ("X-Forwarded-For", "203.0.113.9, 203.0.113.2, 10.1.2.3"))).Status);

        var secure = await RegisterAsync(server, ("X-Forwarded-For", "203.0.113.3"), ("X-Forwarded-Proto", "https"));
        Assert.Equal("max-age=3600; includeSubDomains", secure.Headers["Strict-Transport-Security"]);
        Assert.False((await RegisterAsync(server, ("X-Forwarded-For", "203.0.113.4"))).Headers.ContainsKey("Strict-Transport-Security"));
    }

    [Theory]
    [InlineData("Http:KnownProxies=")]
    [InlineData("Http:KnownProxies=10.0.0.0/8")]
    public async Task Nobody_else_is(string setting)
    {
        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, setting, "Registration:PerAddressPerMinute=1", "Http:HstsMaxAge=1h");

        var first = await RegisterAsync(server, ("X-Forwarded-For", "203.0.113.1"), ("X-Forwarded-Proto", "https"));
        Assert.Equal(201, first.Status);
        Assert.False(first.Headers.ContainsKey("Strict-Transport-Security"));
        Assert.Equal(429, (await RegisterAsync(server, ("X-Forwarded-For", "203.0.113.2"))).Status);
    }

    [Fact]
    public async Task Metrics_and_administration_can_have_an_address_of_their_own()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite, "Http:AdminUrls=http://127.0.0.1:0");
        using var admin = new HttpClient { BaseAddress = server.AdminAddress };
        using var patch = new StringContent("{}", Encoding.UTF8, "application/json");

        foreach (var path in (string[])["/metrics", "/api/admin/organizations/x"])
        {
            using var answer = await server.Client.GetAsync(path);
            (await Reply.ReadAsync(answer)).Problem(404, "not_found", "Not found");
        }

        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/metrics")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await admin.PatchAsync("/api/admin/organizations/x", patch)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await admin.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/health/ready")).StatusCode);
    }

    [Fact]
    public async Task Https_with_a_certificate_of_its_own_tells_browsers_to_stay()
    {
        var file = Path.GetTempFileName();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        await File.WriteAllBytesAsync(file, certificate.Export(X509ContentType.Pfx, "secret"));

        await using var server = await ServerUnderTest.StartAsync(
            StoreKind.Sqlite, "Http:Urls=https://127.0.0.1:0", "Http:HstsMaxAge=365d", $"Kestrel:Certificates:Default:Path={file}",
            "Kestrel:Certificates:Default:Password=secret");
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(certificate);
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = trust;
        using var client = new HttpClient(handler) { BaseAddress = server.Address };

        using var answer = await client.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("max-age=31536000; includeSubDomains", answer.Headers.GetValues("Strict-Transport-Security").Single());
        File.Delete(file);
    }

    private static async Task<Reply> RegisterAsync(ServerUnderTest server, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/keys/generate");
        request.Content = new StringContent("""{"organization_name":"a"}""", Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await server.Client.SendAsync(request);
        return await Reply.ReadAsync(answer);
    }
}
