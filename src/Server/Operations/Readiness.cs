using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// Whether events can be taken now and, if not, why. Asks the store by a write every few seconds, because a store that answers reads may
/// refuse writes for days.
/// </summary>
internal sealed class Readiness(IEventStore store, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private volatile Shard? _shard;
    private volatile string? _phase = "starting: the database is being prepared";
    private volatile string? _storeTrouble;
    private volatile bool _isClosing;
    private Task _probing = Task.CompletedTask;

    /// <summary>The start waits for the store, and why; null when it goes on.</summary>
    public void Await(string? cause) => _storeTrouble = cause;

    /// <summary>The store is ready and the journal is looked through.</summary>
    public void Replay() => _phase = "starting: the journal is being replayed";

    /// <summary>Events are taken from now on.</summary>
    public void Open(Shard shard)
    {
        _shard = shard;
        _phase = null;
        _probing = ProbeAsync();
    }

    /// <summary>The server stops.</summary>
    public void Close() => _isClosing = true;

    /// <summary>As <c>/health/ready</c> tells it.</summary>
    public ReadyState Read()
    {
        var reasons = new List<string>();
        if (_isClosing) reasons.Add("shutting down");
        if (_shard is { } shard) reasons.AddRange(shard.Troubles());
        var storeTrouble = _storeTrouble ?? _shard?.Writer.Trouble;
        if (storeTrouble is not null && !reasons.Contains(storeTrouble)) reasons.Add(storeTrouble);
        if (_phase is { } phase) reasons.Add(phase);
        var isReady = reasons.Count == 0;
        if (_shard is { } running) reasons.AddRange(running.Worries());
        var database = storeTrouble is not null ? "disconnected" : _shard is null ? "starting" : "connected";
        return new ReadyState(isReady, database, reasons);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _probing;
        _stop.Dispose();
    }

    private async Task ProbeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await store.ProbeAsync(_stop.Token);
                _storeTrouble = null;
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Whatever it is: a probe that ended would leave its last verdict standing for ever.
                _storeTrouble = error.Message;
            }

            await Task.Delay(ProbeInterval, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
