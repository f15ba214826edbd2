using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Inbox;
using ZapierTriggers.Server.Operations;
using ZapierTriggers.Tests.Integration.Inbox;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Accounts;

/// <summary>Real Kestrel on a free port with the account, inbox and ack routes over stores in memory; a clock that tests set.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    /// <summary>The admin token.</summary>
    public const string AdminTokenText = "admin-token-of-the-tests";

    private readonly WebApplication _application;
    private readonly InboxMarkAdvancer _marks;
    private readonly Webhooks.DeliveryRig _rig = new(new DeliveryOptions { Enabled = false });

    private ApiHost(RegistrationOptions options, AdminToken? token)
    {
        Directory = new AccountDirectory(Time);
        token ??= AdminToken.Provision(AdminTokenText, dataDirectory: "");
        var authentication = new Authentication(Directory, token);
        var registration = new Registration(Directory, Accounts, authentication, options, Time, NullLogger<Registration>.Instance);
        var rotation = new KeyRotation(Directory, Accounts, authentication, KeyCaps, Time, NullLogger<KeyRotation>.Instance);
        var keys = new KeyCalls(Directory, Accounts, authentication, KeyCaps, Time, NullLogger<KeyCalls>.Instance);
        StoredBarrier barrier = (organization, _) =>
        {
            BarrierCalls.Add(organization.No);
            return ValueTask.FromResult(BarrierHolds);
        };
        new AccountRoutes(Directory, authentication, registration, rotation, keys, no => WebhookUrls.GetValueOrDefault(no)).Map(Routes);
        new AdminRoutes(
            Directory, Accounts, authentication, keys, no => WebhookUrls.GetValueOrDefault(no), (no, held) => Held[no] = held, Time,
            NullLogger<AdminRoutes>.Instance).Map(Routes);
        new AdminTokenRoutes(token, authentication, Audit, Time, NullLogger<AdminTokenRoutes>.Instance).Map(Routes);
        new AuditRoutes(Audit, authentication).Map(Routes);
        new LimitsRoutes(
            Directory, authentication, KeyCaps, 50, no => Endpoints.GetValueOrDefault(no, []).Count, new MonotonicClock(Time)).Map(Routes);
        _marks = new InboxMarkAdvancer(Events, Time, NullLogger<InboxMarkAdvancer>.Instance);
        new InboxRoutes(
            Events, authentication, barrier, new PageRoom(64 << 20), no => Endpoints.GetValueOrDefault(no, []), _ => null,
            _marks).Map(Routes);
        new AckRoutes(Events, authentication, barrier, (no, ids) => Notices.Add((no, ids)), Time).Map(Routes);
        ZapierTriggers.Server.Webhooks.Authenticate manager = context =>
            authentication.AuthenticateOrAnswerAsync(context, KeyScopes.WebhooksManage);
        new ZapierTriggers.Server.Webhooks.EndpointRoutes(
            manager, _rig.Dispatcher, new AddressGuard(_rig.Options), _rig.Options, Time).Map(Routes);
        // Refusals only: no call that is let through comes to the store here.
        var replays = new ZapierTriggers.Server.Webhooks.ReplayCalls(
            null!, authentication, barrier, (_, _, _, _, _) => false, _ => { }, () => { }, Time);
        new ZapierTriggers.Server.Webhooks.DeadLetterRoutes(replays).Map(Routes);
        new ZapierTriggers.Server.Webhooks.ReplayRoutes(replays).Map(Routes);
        Routes.Freeze();

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _application = builder.Build();
        _application.Run(Routes.DispatchAsync);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2025, 3, 1, 12, 0, 30, 250, TimeSpan.Zero));

    public RouteTable Routes { get; } = new();

    public AccountDirectory Directory { get; }

    public MemoryAccountStore Accounts { get; } = new();

    /// <summary>Audit entries that no store's transaction has.</summary>
    public MemoryAuditStore Audit { get; } = new();

    /// <summary>Three keys for an organization, no more.</summary>
    public KeyOptions KeyCaps { get; } = new() { MaxPerOrganization = 3 };

    /// <summary>Which organizations' webhooks were told to wait, or to go on.</summary>
    public Dictionary<int, bool> Held { get; } = [];

    public MemoryEventStore Events { get; } = new();

    public Dictionary<int, string> WebhookUrls { get; } = [];

    /// <summary>Endpoints of organizations.</summary>
    public Dictionary<int, IReadOnlyList<EndpointRecord>> Endpoints { get; } = [];

    /// <summary>Organizations that waited at the barrier.</summary>
    public List<int> BarrierCalls { get; } = [];

    /// <summary>What the barrier answers.</summary>
    public bool BarrierHolds { get; set; } = true;

    /// <summary>Acknowledgements told to the dispatcher.</summary>
    public List<(int OrganizationNo, IReadOnlyList<ZapierTriggers.Core.Events.EventId> Ids)> Notices { get; } = [];

    public HttpClient Client { get; } = new(new ContractHandler(new SocketsHttpHandler { UseProxy = false }));

    public static async Task<ApiHost> StartAsync(RegistrationOptions? options = null, AdminToken? token = null)
    {
        var host = new ApiHost(options ?? new RegistrationOptions { Open = true }, token);
        await host._application.StartAsync(TestContext.Current.CancellationToken);
        host.Client.BaseAddress = new Uri(host._application.Urls.Single());
        return host;
    }

    /// <summary>Makes an organization by the API; its key, and the organization in memory.</summary>
    public async Task<(string Key, Organization Organization)> RegisterAsync(string name = "Acme", string tier = "free")
    {
        var (status, body, _) = await SendAsync(
            HttpMethod.Post, "/api/keys/generate", null, $$"""{"organization_name": "{{name}}", "tier": "{{tier}}"}""");
        Assert.Equal(HttpStatusCode.Created, status);
        var key = (string)body["api_key"]!;
        return (key, Directory.Authenticate(key)!.Organization);
    }

    /// <summary>Sends a request; its answer's status, JSON and headers.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Body, HttpResponseHeaders Headers)> SendAsync(
        HttpMethod method, string path, string? key, string? json = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (key is not null) request.Headers.TryAddWithoutValidation("X-API-Key", key);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        return await SendAsync(request);
    }

    /// <summary>Sends a request; its answer's status, JSON and headers.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Body, HttpResponseHeaders Headers)> SendAsync(HttpRequestMessage request)
    {
        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var isProblem = (int)response.StatusCode >= 400;
        if (response.StatusCode == HttpStatusCode.NoContent) return (response.StatusCode, [], response.Headers);
        Assert.Equal(isProblem ? "application/problem+json" : "application/json", response.Content.Headers.ContentType?.MediaType);
        return (response.StatusCode, JsonNode.Parse(text)!.AsObject(), response.Headers);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _marks.Dispose();
        await _application.DisposeAsync();
        await _rig.DisposeAsync();
    }
}
