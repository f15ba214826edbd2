using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// Writes when keys were last used, every 30 s and once more at the end, and forgets keys that have ended. Best effort: while the store
/// is away uses are dropped; a key in use is noted again within a minute.
/// </summary>
internal sealed partial class KeyUseWriter(
    AccountDirectory directory, IAccountStore store, TimeProvider time, ILogger<KeyUseWriter> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private bool _wasAway;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await NextAsync(timer, stoppingToken)) await WriteAsync(stoppingToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await WriteAsync(cancellationToken);
    }

    /// <summary>One turn.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        directory.RemoveEnded();
        var uses = directory.DrainUses();
        if (uses.Count == 0) return;
        try
        {
            await store.NoteUseAsync(uses, cancellationToken);
            _wasAway = false;
        }
        catch (StoreException failure)
        {
            // One line per outage: the next turns say nothing until a write has succeeded.
            if (!_wasAway) Log.NotWritten(logger, uses.Count, failure);
            _wasAway = true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Log.GivenUp(logger, uses.Count);
        }
    }

    private static async ValueTask<bool> NextAsync(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.KeyUseWriterNotWritten, LogLevel.Warning,
            "The last use of {Count} keys was not written; last_used_at will lag until the store is back")]
        public static partial void NotWritten(ILogger logger, int count, Exception failure);

        [LoggerMessage(
            LogEvents.KeyUseWriterGivenUp, LogLevel.Information, "Stopping: the last use of {Count} keys was not written in time")]
        public static partial void GivenUp(ILogger logger, int count);
    }
}
