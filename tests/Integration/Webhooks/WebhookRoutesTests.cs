using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Webhooks;

namespace ZapierTriggers.Tests.Integration.Webhooks;

public sealed class WebhookRoutesTests : IAsyncLifetime
{
    private const string Path = "/api/webhook/config";
    private static readonly Guid OrganizationId = Guid.Parse("0b1e0d52-6b0a-4d0e-9d6c-0a1b2c3d4e5f");

    private readonly DeliveryRig _rig = new(new DeliveryOptions { Enabled = false });
    private readonly HttpClient _client = new();
    private WebApplication? _app;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        var routes = new RouteTable();
        new WebhookRoutes(static context => AuthenticateAsync(context), _rig.Dispatcher, new AddressGuard(_rig.Options)).Map(routes);
        routes.Freeze();
        _app.Run(routes.DispatchAsync);
        await _app.StartAsync();
        _client.BaseAddress = new Uri(_app.Urls.First());
        _client.DefaultRequestHeaders.Add("X-API-Key", "k");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app!.DisposeAsync();
        await _rig.DisposeAsync();
    }

    [Fact]
    public async Task A_url_is_set_and_the_secret_shown()
    {
        var (status, body) = await PostAsync("""{"webhook_url": "https://example.com/hook"}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            ["success", "organization_id", "webhook_url", "url", "secret", "updated_at", "message"],
            body.EnumerateObject().Select(property => property.Name));
        Assert.True(body.GetProperty("success").GetBoolean());
        Assert.Equal(OrganizationId, body.GetProperty("organization_id").GetGuid());
        Assert.Equal("https://example.com/hook", body.GetProperty("webhook_url").GetString());
        Assert.True(WebhookSecret.TryDecode(body.GetProperty("secret").GetString()!, out _));
        Assert.Equal("2026-01-01T00:00:00.000Z", body.GetProperty("updated_at").GetString());
        Assert.Equal("https://example.com/hook", _rig.Dispatcher.DefaultUrl(DeliveryRig.Organization));
    }

    [Fact]
    public async Task A_second_call_changes_the_url_and_keeps_the_rest()
    {
        var (_, first) = await PostAsync("""{"url": "https://example.com/1"}""");
        var before = Assert.Single(await _rig.Store.LoadEndpointsAsync(CancellationToken.None));
        var (_, second) = await PostAsync("""{"webhook_url": "https://example.com/2", "url": "https://example.com/2"}""");
        var after = Assert.Single(await _rig.Store.LoadEndpointsAsync(CancellationToken.None));

        Assert.Equal(first.GetProperty("secret").GetString(), second.GetProperty("secret").GetString());
        Assert.Equal((before.Id, before.DeliveredThrough, "https://example.com/2"), (after.Id, after.DeliveredThrough, after.Url));
    }

    [Theory]
    [InlineData("""{}""", "invalid_field", "webhook_url")]
    [InlineData("""{"webhook_url": null}""", "invalid_field", "webhook_url")]
    [InlineData("""{"webhook_url": 5}""", "invalid_field", "webhook_url")]
    [InlineData("""{"url": ["https://example.com"]}""", "invalid_field", "url")]
    [InlineData("""{"webhook_url": "https://a.example", "url": "https://b.example"}""", "invalid_field", "webhook_url")]
    [InlineData("""{"webhook_url": ""}""", "invalid_url", "webhook_url")]
    [InlineData("""{"url": "ftp://example.com"}""", "invalid_url", "url")]
    [InlineData("""{"webhook_url": "http://127.0.0.1/"}""", "invalid_url", "webhook_url")]
    [InlineData("""{"webhook_url": "http://[::ffff:169.254.169.254]/"}""", "invalid_url", "webhook_url")]
    public async Task What_cannot_be_sent_to_is_refused_and_changes_nothing(string json, string code, string field)
    {
        var (status, body) = await PostAsync(json);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Equal((code, field), (body.GetProperty("code").GetString(), body.GetProperty("field").GetString()));
        Assert.NotEmpty(body.GetProperty("detail").GetString()!);
        Assert.Empty(await _rig.Store.LoadEndpointsAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("not json", HttpStatusCode.BadRequest)]
    [InlineData("[]", HttpStatusCode.BadRequest)]
    public async Task A_body_that_is_no_object_is_refused(string body, HttpStatusCode status) =>
        Assert.Equal(status, (await PostAsync(body)).Status);

    [Fact]
    public async Task Another_media_type_is_refused() =>
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostAsync("{}", "text/plain")).Status);

    [Fact]
    public async Task A_store_that_is_away_is_a_503_and_changes_nothing()
    {
        _rig.Store.Fails = static call => call == "save";

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync("""{"url": "https://example.com"}""")).Status);
        Assert.Null(_rig.Dispatcher.DefaultUrl(DeliveryRig.Organization));
    }

    [Fact]
    public async Task Without_a_key_the_authenticator_has_answered()
    {
        _client.DefaultRequestHeaders.Remove("X-API-Key");

        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync("""{"url": "https://example.com"}""")).Status);
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string json, string mediaType = "application/json")
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(json));
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        using var response = await _client.PostAsync(Path, content);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return (response.StatusCode, document.RootElement.Clone());
    }

    private static async ValueTask<ApiKey?> AuthenticateAsync(Microsoft.AspNetCore.Http.HttpContext context)
    {
        if (!context.Request.Headers.ContainsKey("X-API-Key"))
        {
            await Answers.ProblemAsync(context, Problem.MissingApiKey, "Send X-API-Key.");
            return null;
        }

        var organization = new Organization(new OrganizationRecord
        {
            No = DeliveryRig.Organization,
            Id = OrganizationId,
            Name = "Test",
            Tier = "free",
            RateLimitPerMinute = 100,
            Route = "abcdefgh",
            CreatedAt = default,
            UpdatedAt = default,
        });
        var record = new ApiKeyRecord
        {
            Id = Guid.NewGuid(),
            OrganizationNo = DeliveryRig.Organization,
            Hash = new byte[32],
            Prefix = "zap_test_abcdefgh",
            Name = "default",
            Scopes = "webhooks:manage",
            CreatedAt = default,
            ExpiresAt = null,
            LastUsedAt = null,
        };
        return new ApiKey(record, organization);
    }
}
