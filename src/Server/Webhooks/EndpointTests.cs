using System.Collections.Concurrent;
using System.Text;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>
/// <c>POST /api/endpoints/{id}/test</c>: sends a signed event now, as every delivery is sent, and shows what came of it. Nothing is stored,
/// and the endpoint stays as it is.
/// </summary>
internal sealed class EndpointTests(Authenticate authenticate, Dispatcher dispatcher, DeliveryOptions options, TimeProvider time)
{
    /// <summary>Tests of one organization at the same time: each may hold a connection for as long as a try may take.</summary>
    private const int MostAtATime = 4;

    private const int RetrySeconds = 5;

    private readonly ConcurrentDictionary<int, int> _running = new();

    /// <summary>Adds the route.</summary>
    public void Map(RouteTable routes, string template) => routes.Map(HttpMethods.Post, template, RouteAccess.WebhooksManage, TestAsync);

    private async Task TestAsync(HttpContext context, string? id)
    {
        if (await authenticate(context) is not { } key) return;
        if (await EndpointRoutes.FindOrAnswerAsync(context, dispatcher, key.Organization, id) is not { } endpoint) return;
        var no = key.Organization.No;
        try
        {
            if (_running.AddOrUpdate(no, 1, static (_, running) => running + 1) > MostAtATime)
                await RefuseAsync(context);
            else
                await Answers.JsonAsync(
                    context, StatusCodes.Status200OK, await SendAsync(endpoint, context.RequestAborted), EndpointJson.WriteTest);
        }
        finally
        {
            var left = _running.AddOrUpdate(no, 0, static (_, running) => running - 1);
            if (left == 0) _running.TryRemove(KeyValuePair.Create(no, 0));
        }
    }

    private async Task<EndpointTest> SendAsync(EndpointRecord endpoint, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var due = new DueEvent
        {
            Id = new EventIdGenerator(default).Next(now.ToUnixTimeMilliseconds()),
            Type = "endpoint.test",
            Payload = Encoding.UTF8.GetBytes($$"""{"endpoint_id":"{{endpoint.Id}}","message":"A test event; nothing has happened."}"""),
        };
        if (options.Enabled)
        {
            var (result, headers) = await dispatcher.SendTestAsync(endpoint, due, cancellationToken);
            return new EndpointTest(endpoint, due.Id, result, headers);
        }

        var off = new TryResult
        {
            Error = DeliveryError.Stopped,
            ErrorText = "Webhooks are switched off on this server.",
            At = now,
            Latency = TimeSpan.Zero,
        };
        return new EndpointTest(endpoint, due.Id, off, []);
    }

    private static Task RefuseAsync(HttpContext context) => Answers.ProblemAsync(
        context,
        Problem.RateLimited,
        $"{MostAtATime} tests of your organization are running; wait for them to end.",
        ("retry_after_seconds", RetrySeconds),
        ("limit", MostAtATime));
}
