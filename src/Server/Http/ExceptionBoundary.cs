using System.Globalization;
using Microsoft.AspNetCore.Connections;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// The last resort around every request: whatever is thrown becomes an answer. A request that Kestrel found malformed is the client's
/// error, one whose client has gone is nobody's; a store that is away is a 503; the rest is ours, logged once with the request's id and
/// answered 500.
/// </summary>
internal static partial class ExceptionBoundary
{
    /// <summary>Runs the rest of the pipeline; adds no state machine to a request that ends without waiting.</summary>
    public static Task RunAsync(HttpContext context, RequestDelegate next, ILogger logger)
    {
        Task running;
        try
        {
            running = next(context);
        }
        catch (Exception error)
        {
            return AnswerAsync(context, error, logger);
        }

        return running.IsCompletedSuccessfully ? running : AwaitAsync(context, running, logger);
    }

    private static async Task AwaitAsync(HttpContext context, Task running, ILogger logger)
    {
        try
        {
            await running;
        }
        catch (Exception error)
        {
            await AnswerAsync(context, error, logger);
        }
    }

    private static Task AnswerAsync(HttpContext context, Exception error, ILogger logger)
    {
        if (IsAbort(context, error))
        {
            // Kestrel learns of a reset on another thread; told here, it does not try to read the rest of the body.
            context.Abort();
            return Task.CompletedTask;
        }

        var expected = error is BadHttpRequestException or StoreException { Failure: StoreFailure.Unavailable };
        if (!expected) Log.RequestFailed(logger, context.Request.Method, context.Request.Path, context.TraceIdentifier, error);
        if (context.Response.HasStarted)
        {
            // Half an answer is out: cutting the connection is the only way left to say that it is not whole.
            context.Abort();
            return Task.CompletedTask;
        }

        // Where a request ends that could not be read is not known: nothing more is taken from this connection.
        if (error is BadHttpRequestException) context.Response.Headers.Connection = "close";
        var id = context.TraceIdentifier;
        return error switch
        {
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } =>
                Answers.ProblemAsync(context, Problem.PayloadTooLarge, "The body is larger than this route takes."),
            BadHttpRequestException bad =>
                Answers.ProblemAsync(context, Problem.InvalidRequest with { Status = bad.StatusCode }, bad.Message),
            StoreException { Failure: StoreFailure.Unavailable } => Answers.ProblemAsync(
                context, Problem.StorageUnavailable, "The database does not answer now. Try again.", ("retry_after_seconds", 1)),
            _ =>
                Answers.ProblemAsync(context, Problem.Internal, string.Create(
                    CultureInfo.InvariantCulture,
                    $"Something failed here that should not have. The server's log tells more under request {id}.")),
        };
    }

    private static bool IsAbort(HttpContext context, Exception error) =>
        error is ConnectionResetException or ConnectionAbortedException
        || (context.RequestAborted.IsCancellationRequested && error is OperationCanceledException or IOException);

    private static partial class Log
    {
        [LoggerMessage(LogEvents.ExceptionBoundaryRequestFailed, LogLevel.Error, "{Method} {Path} failed (request {RequestId})")]
        public static partial void RequestFailed(ILogger logger, string method, PathString path, string requestId, Exception error);
    }
}
