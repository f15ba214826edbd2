using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>What all calls about dead letters and replays have in common: who may, what is waited for, and how a job begins.</summary>
/// <param name="store">Dead letters and replays.</param>
/// <param name="authentication">Who calls.</param>
/// <param name="barrier">Lets reads see what was answered before.</param>
/// <param name="wants">Whether an endpoint is to have an event.</param>
/// <param name="due">Told when replays were queued.</param>
/// <param name="begun">Told when a job was kept.</param>
/// <param name="time">Clock.</param>
internal sealed class ReplayCalls(
    IDeadLetterStore store,
    Authentication authentication,
    StoredBarrier barrier,
    WantsEvent wants,
    Action<DateTimeOffset> due,
    Action begun,
    TimeProvider time)
{
    // 1,000 ids of 39 characters with quotes and comma, and room for spaces and the other fields.
    private const int MaxBodyBytes = 256 * 1024;

    /// <summary>Dead letters and replays.</summary>
    public IDeadLetterStore Store => store;

    /// <summary>Now, to the millisecond.</summary>
    public DateTimeOffset Now => time.GetMilliseconds();

    /// <summary>The caller's key for a call that sends, or null after 401 or 403.</summary>
    public ValueTask<ApiKey?> MaySendAsync(HttpContext context) =>
        authentication.AuthenticateOrAnswerAsync(context, KeyScopes.WebhooksManage);

    /// <summary>The caller's key for a call that reads: whoever may read events, or may send them again. Null after 401 or 403.</summary>
    public ValueTask<ApiKey?> MayReadAsync(HttpContext context) =>
        authentication.TryAuthenticate(context, out var key) && Authentication.Allows(key, KeyScopes.WebhooksManage)
            ? ValueTask.FromResult<ApiKey?>(key)
            : authentication.AuthenticateOrAnswerAsync(context, KeyScopes.InboxRead);

    /// <summary>Waits until what the organization was answered is stored; false after it has answered 503.</summary>
    public async ValueTask<bool> SeesWritesAsync(HttpContext context, Organization organization)
    {
        if (await barrier(organization, context.RequestAborted)) return true;
        await StorageAnswers.UnavailableAsync(context);
        return false;
    }

    /// <summary>The body if there is one. Not read when something has been answered instead.</summary>
    public static async ValueTask<(bool IsRead, JsonDocument? Body)> ReadOptionalAsync(HttpContext context)
    {
        if (!JsonBody.IsSent(context)) return (true, null);
        var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        return (body is not null, body);
    }

    /// <summary>The endpoint named in an optional body. Not read when something has been answered instead.</summary>
    public static async ValueTask<(bool IsRead, Guid? EndpointId)> ReadEndpointIdAsync(HttpContext context)
    {
        var (isRead, body) = await ReadOptionalAsync(context);
        using var read = body;
        if (!isRead || body is null) return (isRead, null);
        FieldError? error = null;
        var endpointId = ReplayRequest.EndpointIdOf(body.RootElement, ref error);
        if (error is not null) await error.AnswerAsync(context);
        return (error is null, endpointId);
    }

    /// <summary>Tells the dispatcher of replays that are committed, and answers 202.</summary>
    public Task AnswerReplayedAsync(HttpContext context, EventId eventId, Requeued replayed)
    {
        Failpoint.Pass(Failpoint.ReplayCommitted);
        due(Now);
        return Answers.JsonAsync(context, StatusCodes.Status202Accepted, (eventId, replayed.Count), ReplayJson.WriteReplayed);
    }

    /// <summary>Answers what the request would send, or begins a job that sends it.</summary>
    public async Task BeginAsync(HttpContext context, Organization organization, ReplayRequest request)
    {
        if (!await SeesWritesAsync(context, organization)) return;
        var now = Now;
        var matched = await store.CountAsync(organization.No, request.Filter, wants, context.RequestAborted);
        if (request.IsDryRun)
        {
            await Answers.JsonAsync(context, StatusCodes.Status200OK, matched, ReplayJson.WriteMatched);
            return;
        }

        var job = new ReplayJob
        {
            OrganizationNo = organization.No,
            Id = Guid.CreateVersion7(now),
            Filter = request.Filter,
            RatePerSecond = request.RatePerSecond,
            Matched = matched,
            CreatedAt = now,
        };
        if (!await CertainWrite.RunAsync(cancelled => store.AddJobAsync(job, cancelled)))
        {
            await Answers.ProblemAsync(
                context,
                Problem.TooManyReplays,
                $"Your organization has {ReplayJob.MaxUnfinished} replays that are not finished; GET /api/replays shows them. Begin this one when one of them is.",
                ("limit", ReplayJob.MaxUnfinished));
            return;
        }

        begun();
        await Answers.JsonAsync(context, StatusCodes.Status202Accepted, job, ReplayJson.WriteBegun);
    }

    /// <summary>Answers 409: there is nowhere to send to.</summary>
    public static Task NoEndpointAsync(HttpContext context) => Answers.ProblemAsync(
        context,
        Problem.NoEndpoint,
        "There is no endpoint to send this event to: none is enabled, or those that it was sent to have been removed. Set one up with POST /api/webhook/config, then replay again.");

    /// <summary>Answers 404: no such endpoint.</summary>
    public static Task EndpointNotFoundAsync(HttpContext context) =>
        Answers.ProblemAsync(context, Problem.EndpointNotFound, "Your organization has no endpoint with this id.");
}
