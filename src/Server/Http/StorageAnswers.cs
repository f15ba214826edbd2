using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Http;

/// <summary>The one place that turns a store which is away into an answer.</summary>
internal static class StorageAnswers
{
    private const int RetryAfterSeconds = 2;

    /// <summary>
    /// The handler, with <see cref="StoreFailure.Unavailable"/> answered as 503. Every other failure goes on to the pipeline.
    /// </summary>
    public static RouteHandler Guard(RouteHandler handler) => async (context, id) =>
    {
        try
        {
            await handler(context, id);
        }
        catch (StoreException away) when (away.Failure == StoreFailure.Unavailable && !context.Response.HasStarted)
        {
            await UnavailableAsync(context);
        }
    };

    /// <summary>The handler, answered as 503 until <paramref name="isOpen"/>: what needs the accounts while they are not loaded.</summary>
    public static RouteHandler Until(Func<bool> isOpen, RouteHandler handler) =>
        (context, id) => isOpen() ? handler(context, id) : StartingAsync(context);

    /// <summary>Answers that the server waits for its database and knows no accounts yet.</summary>
    public static Task StartingAsync(HttpContext context) => Answers.ProblemAsync(
        context,
        Problem.StorageUnavailable,
        $"The server has started and waits for its database; nothing was kept or changed. Try again in {RetryAfterSeconds} s.",
        ("retry_after_seconds", RetryAfterSeconds));

    /// <summary>Answers that the store is away or behind.</summary>
    public static Task UnavailableAsync(HttpContext context) => Answers.ProblemAsync(
        context,
        Problem.StorageUnavailable,
        $"The database does not answer, or is behind what was accepted. Nothing is lost; try again in {RetryAfterSeconds} s.",
        ("retry_after_seconds", RetryAfterSeconds));
}
