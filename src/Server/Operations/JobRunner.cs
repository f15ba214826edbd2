using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// Carries out jobs that are kept in the store, in the background: chunk after chunk while there is something to do, then when told, and
/// every half minute, since another server may have kept one. While the store is away it is tried again, ever more seldom.
/// </summary>
internal abstract class JobRunner(TimeProvider time) : BackgroundService
{
    private readonly WakeSignal _wake = new();

    /// <summary>Clock and timers.</summary>
    protected TimeProvider Time { get; } = time;

    /// <summary>Until the next look for jobs, which nobody may have told of; asked after each look.</summary>
    protected virtual TimeSpan UntilNextLook => TimeSpan.FromSeconds(30);

    /// <summary>A job has been kept.</summary>
    public void Wake() => _wake.Set();

    /// <summary>A chunk of each unfinished job; false when there is nothing more to do now. Throws <see cref="StoreException"/>.</summary>
    protected abstract Task<bool> RunOnceAsync(CancellationToken stop);

    /// <summary>Tells that it cannot go on; <paramref name="unexpected"/> is null when the store has told why.</summary>
    protected abstract void LogNotDone(Exception? unexpected, string reason, TimeSpan wait);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var backoff = new Backoff(Time);
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan wait;
            try
            {
                while (await RunOnceAsync(stoppingToken))
                {
                }

                backoff.Succeeded();
                wait = UntilNextLook;
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                var isNews = backoff.IsGrowing;
                wait = backoff.Failed();
                if (isNews) LogNotDone(exception is StoreException ? null : exception, exception.Message, wait);
            }

            await _wake.WaitAsync(wait, Time, stoppingToken);
        }
    }
}
