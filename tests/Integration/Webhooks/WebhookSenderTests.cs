using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StandardWebhooks;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Webhooks;

public sealed class WebhookSenderTests : IDisposable
{
    private static readonly DeliveryOptions Options = new() { AllowPrivateNetworks = true };

    private readonly WebhookSender _sender = Create(Options);

    public void Dispose() => _sender.Dispose();

    [Fact]
    public async Task A_delivery_is_signed_and_carries_exactly_the_headers_of_the_contract()
    {
        await using var receiver = await Receiver.StartAsync();
        using var activity = new Activity("trace").Start();
        var target = Target(receiver.Url);

        var result = await _sender.SendAsync(target, Event("user.käse"), CancellationToken.None);

        Assert.Equal((DeliveryError.None, 200), (result.Error, result.Status));
        var request = Assert.Single(receiver.Requests);
        Assert.Equal(
            ["Content-Length", "Content-Type", "Host", "User-Agent", "webhook-id", "webhook-signature", "webhook-timestamp", "X-Event-ID", "X-Event-Type"],
            request.Headers.Keys.Order(StringComparer.OrdinalIgnoreCase));
        Assert.Equal("application/json", request.Headers["Content-Type"]);
        Assert.StartsWith("ZapierTriggers/", request.Headers["User-Agent"], StringComparison.Ordinal);
        Assert.Equal("user.k%C3%A4se", request.Headers["X-Event-Type"]);
        Assert.Equal(request.Id, request.Headers["X-Event-ID"]);
        Assert.Matches("^\\d{10}$", request.Headers["webhook-timestamp"]);
        new StandardWebhook(target.Endpoint.Secret).Verify(request.Body, new HeaderDictionary(
            request.Headers.ToDictionary(pair => pair.Key, pair => new Microsoft.Extensions.Primitives.StringValues(pair.Value))));
    }

    [Theory]
    [InlineData(200, nameof(DeliveryError.None))]
    [InlineData(204, nameof(DeliveryError.None))]
    [InlineData(304, nameof(DeliveryError.Redirected))]
    [InlineData(403, nameof(DeliveryError.BadStatus))]
    [InlineData(410, nameof(DeliveryError.Gone))]
    [InlineData(429, nameof(DeliveryError.Overloaded))]
    [InlineData(500, nameof(DeliveryError.BadStatus))]
    [InlineData(503, nameof(DeliveryError.Overloaded))]
    public async Task A_status_means_what_the_contract_says(int status, string error)
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "9999999999";
            return Task.CompletedTask;
        };

        var result = await _sender.SendAsync(Target(receiver.Url), Event(), CancellationToken.None);

        Assert.Equal(error, result.Error.ToString());
        Assert.Equal(status, result.Status);
        Assert.Equal(status is 429 or 503 ? TimeSpan.FromHours(24) : null, result.RetryAfter);
        Assert.Equal(result.Error == DeliveryError.None, result.ErrorText is null);
    }

    [Fact]
    public async Task A_redirect_is_a_failure_and_never_followed()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        };

        var result = await _sender.SendAsync(Target(receiver.Url), Event(), CancellationToken.None);

        Assert.Equal(DeliveryError.Redirected, result.Error);
        Assert.Single(receiver.Requests);
    }

    [Fact]
    public async Task Of_an_endless_answer_4_KB_are_kept()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = async (context, _) =>
        {
            var chunk = Encoding.ASCII.GetBytes(new string('x', 10_000));
            while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
        };

        var result = await _sender.SendAsync(Target(receiver.Url), Event(), CancellationToken.None);

        Assert.Equal(DeliveryError.None, result.Error);
        Assert.Equal(new string('x', 4096), result.Answer);
    }

    [Fact]
    public async Task Cookies_are_not_kept()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.Cookies.Append("session", "1");
            return Task.CompletedTask;
        };

        await _sender.SendAsync(Target(receiver.Url), Event(), CancellationToken.None);
        await _sender.SendAsync(Target(receiver.Url), Event(), CancellationToken.None);

        Assert.DoesNotContain(receiver.Requests, request => request.Headers.ContainsKey("Cookie"));
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task Silence_ends_at_the_deadline(string scheme)
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(static (socket, _, cancel) => HoldAsync(socket, cancel));
        using var sender = Create(Options, clock);

        var sending = sender.SendAsync(Target($"{scheme}://127.0.0.1:{server.Port}/"), Event(), CancellationToken.None);
        await Poll.UntilAsync(() => sending.IsCompleted, "the deadline", () => clock.Advance(TimeSpan.FromSeconds(1)));

        Assert.Equal(DeliveryError.Timeout, (await sending).Error);
    }

    [Fact]
    public async Task A_stalled_body_ends_at_the_deadline_too()
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(static async (socket, _, cancel) =>
        {
            await RawServer.ReadRequestAsync(socket, cancel);
            await RawServer.SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", cancel);
            await HoldAsync(socket, cancel);
        });
        using var sender = Create(Options, clock);

        var sending = sender.SendAsync(Target(server.Url), Event(), CancellationToken.None);
        await Poll.UntilAsync(() => sending.IsCompleted, "the deadline", () => clock.Advance(TimeSpan.FromSeconds(1)));

        Assert.Equal(DeliveryError.Timeout, (await sending).Error);
    }

    [Theory]
    [InlineData("", nameof(DeliveryError.ConnectionLost))]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", nameof(DeliveryError.ConnectionLost))]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n", nameof(DeliveryError.InvalidAnswer))]
    public async Task A_broken_answer_is_a_failure_after_one_connection(string answer, string error)
    {
        await using var server = new RawServer(async (socket, _, cancel) =>
        {
            await RawServer.ReadRequestAsync(socket, cancel);
            await RawServer.SendAsync(socket, answer, cancel);
            socket.Shutdown(SocketShutdown.Both);
        });

        var result = await _sender.SendAsync(Target(server.Url), Event(), CancellationToken.None);

        Assert.Equal(error, result.Error.ToString());
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task A_reset_is_a_failure_after_one_connection()
    {
        await using var server = new RawServer(static async (socket, _, cancel) =>
        {
            await RawServer.ReadRequestAsync(socket, cancel);
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        });

        Assert.Equal(DeliveryError.ConnectionLost, (await _sender.SendAsync(Target(server.Url), Event(), CancellationToken.None)).Error);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task Headers_over_16_KB_are_a_failure()
    {
        await using var server = new RawServer(static async (socket, _, cancel) =>
        {
            await RawServer.ReadRequestAsync(socket, cancel);
            await RawServer.SendAsync(socket, $"HTTP/1.1 200 OK\r\nX-A: {new string('a', 20_000)}\r\n\r\n", cancel);
            await HoldAsync(socket, cancel);
        });

        Assert.Equal(DeliveryError.InvalidAnswer, (await _sender.SendAsync(Target(server.Url), Event(), CancellationToken.None)).Error);
    }

    [Fact]
    public async Task An_idle_connection_closed_under_us_costs_no_failure()
    {
        await using var server = new RawServer(static async (socket, number, cancel) =>
        {
            await RawServer.ReadRequestAsync(socket, cancel);
            await RawServer.SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", cancel);
            // The first connection takes a second request and closes instead of answering it.
            if (number == 1) await RawServer.ReadRequestAsync(socket, cancel);
            else await HoldAsync(socket, cancel);
        });

        var first = await _sender.SendAsync(Target(server.Url), Event(), CancellationToken.None);
        var second = await _sender.SendAsync(Target(server.Url), Event(), CancellationToken.None);

        Assert.Equal((DeliveryError.None, DeliveryError.None), (first.Error, second.Error));
        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public async Task Nobody_listening_is_a_failed_connection()
    {
        var server = new RawServer(static (_, _, _) => Task.CompletedTask);
        var url = server.Url;
        await server.DisposeAsync();

        Assert.Equal(DeliveryError.ConnectFailed, (await _sender.SendAsync(Target(url), Event(), CancellationToken.None)).Error);
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_a_failure_that_may_pass()
    {
        using var sender = Create(Options, resolve: static (_, _) => throw new SocketException((int)SocketError.HostNotFound));

        Assert.Equal(
            DeliveryError.NameNotResolved, (await sender.SendAsync(Target("http://nx.invalid/"), Event(), CancellationToken.None)).Error);
    }

    [Fact]
    public async Task One_blocked_address_refuses_the_whole_answer()
    {
        await using var server = new RawServer(static (socket, _, cancel) => HoldAsync(socket, cancel));
        var options = new DeliveryOptions { AllowedNetworks = [IPNetwork.Parse("127.0.0.1/32")] };
        using var sender = Create(
            options, resolve: static (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback, IPAddress.IPv6Loopback]));

        var result = await sender.SendAsync(Target($"http://example.com:{server.Port}/"), Event(), CancellationToken.None);

        Assert.Equal(DeliveryError.BlockedName, result.Error);
        Assert.Contains("::1", result.ErrorText, StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task The_next_address_is_tried_when_one_does_not_answer()
    {
        await using var receiver = await Receiver.StartAsync();
        using var sender = Create(
            Options, resolve: static (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.9"), IPAddress.Loopback]));

        var result = await sender.SendAsync(
            Target(receiver.Url.Replace("127.0.0.1", "hooks.example", StringComparison.Ordinal)), Event(), CancellationToken.None);

        Assert.Equal(DeliveryError.None, result.Error);
    }

    [Fact]
    public async Task This_server_itself_is_refused_by_name()
    {
        await using var receiver = await Receiver.StartAsync();
        var port = new Uri(receiver.Url).Port;
        var guard = new AddressGuard(Options, () => [new IPEndPoint(IPAddress.Any, port)]);
        using var sender = new WebhookSender(
            Options, new GuardedConnector(guard, static (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback])), TimeProvider.System,
            NullLogger.Instance);

        Assert.Equal(
            DeliveryError.BlockedName,
            (await sender.SendAsync(Target($"http://me.example:{port}/"), Event(), CancellationToken.None)).Error);
        Assert.Empty(receiver.Requests);
    }

    [Fact]
    public async Task A_blocked_literal_is_final_and_nothing_connects()
    {
        await using var receiver = await Receiver.StartAsync();
        var strict = new DeliveryOptions();
        using var sender = Create(strict);

        var result = await sender.SendAsync(
            WebhookTarget.Create(Record(receiver.Url), new AddressGuard(strict)), Event(), CancellationToken.None);

        Assert.Equal(DeliveryError.BlockedAddress, result.Error);
        Assert.NotNull(result.ErrorText);
        Assert.Empty(receiver.Requests);
    }

    private static WebhookSender Create(DeliveryOptions options, TimeProvider? time = null, ResolveHost? resolve = null) =>
        new(options, new GuardedConnector(new AddressGuard(options), resolve), time ?? TimeProvider.System, NullLogger.Instance);

    private static WebhookTarget Target(string url) => WebhookTarget.Create(Record(url), new AddressGuard(Options));

    private static EndpointRecord Record(string url) => new()
    {
        Id = Guid.NewGuid(),
        OrganizationNo = 1,
        IsDefault = true,
        Url = url,
        Secret = WebhookSecret.Generate(),
        Enabled = true,
        DeliveredThrough = default,
        CreatedAt = default,
        UpdatedAt = default,
    };

    private static DueEvent Event(string type = "user.created") =>
        new() { Id = new EventIdGenerator(default).Next(1_767_225_600_000), Type = type, Payload = """{"a": 1.0}"""u8.ToArray() };

    /// <summary>Reads and says nothing until the other side or the test is done.</summary>
    private static async Task HoldAsync(Socket socket, CancellationToken cancel)
    {
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer, cancel) > 0)
        {
        }
    }
}
