using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// Takes the steps of the start that need the database, each again and again while the database is away, with a growing pause. What waiting
/// cannot cure (every other failure) goes on to the caller and stops the start.
/// </summary>
/// <param name="output">Where a person looks: told once what is wrong and that it keeps trying.</param>
/// <param name="tell">Told the cause at each failure, and null when a step has succeeded.</param>
/// <param name="time">For the pauses.</param>
/// <param name="logger">One entry for each longer pause and for each new cause, one when the database is there.</param>
internal sealed partial class StoreWait(TextWriter output, Action<string?> tell, TimeProvider time, ILogger logger)
{
    private readonly Backoff _backoff = new(time);
    private string? _cause;

    /// <summary>Returns when the step has succeeded. Throws <see cref="OperationCanceledException"/> as soon as it is cancelled.</summary>
    public async Task ForAsync(Func<CancellationToken, Task> step, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await step(cancellationToken);
                Succeeded();
                return;
            }
            catch (StoreException away) when (away.Failure == StoreFailure.Unavailable)
            {
                await Task.Delay(Failed(away.Message), time, cancellationToken);
            }
        }
    }

    private TimeSpan Failed(string cause)
    {
        tell(cause);
        if (_backoff.Failures == 0)
            output.WriteLine($"Waiting for the database: {cause.TrimEnd('.')}. It is tried again until it is there; Ctrl-C ends it.");
        var isNews = _backoff.IsGrowing || cause != _cause;
        var pause = _backoff.Failed();
        if (isNews) Log.Waiting(logger, cause, pause.TotalSeconds);
        _cause = cause;
        return pause;
    }

    private void Succeeded()
    {
        if (_backoff.Failures == 0) return;
        Log.IsThere(logger, _backoff.Failures);
        _backoff.Succeeded();
        tell(_cause = null);
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.StoreWaitWaiting, LogLevel.Warning, "The start waits for the database ({Reason}); next try in {Pause} s")]
        public static partial void Waiting(ILogger logger, string reason, double pause);

        [LoggerMessage(LogEvents.StoreWaitIsThere, LogLevel.Information,
            "The database is there after {Failures} vain tries; the start goes on")]
        public static partial void IsThere(ILogger logger, int failures);
    }
}
