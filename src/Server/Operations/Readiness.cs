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
    private volatile string? _phase = "starting: the journal is being replayed";
    private volatile string? _storeTrouble;
    private Task _probing = Task.CompletedTask;

    /// <summary>Events are taken from now on.</summary>
    public void Open(Shard shard)
    {
        _shard = shard;
        _phase = null;
        _probing = ProbeAsync();
    }

    /// <summary>The server stops.</summary>
    public void Close() => _phase = "shutting down";

    /// <summary>As <c>/health/ready</c> tells it.</summary>
    public ReadyState Read()
    {
        var reasons = new List<string>();
        if (_phase is { } phase) reasons.Add(phase);
        if (_shard is { } shard) reasons.AddRange(shard.Troubles());
        var storeTrouble = _storeTrouble ?? _shard?.Writer.Trouble;
        if (storeTrouble is not null && !reasons.Contains(storeTrouble)) reasons.Add(storeTrouble);
        var isReady = reasons.Count == 0;
        if (_shard is { } worried) reasons.AddRange(worried.Worries());
        return new ReadyState(isReady, storeTrouble is null ? "connected" : "disconnected", reasons);
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
            catch (StoreException error)
            {
                _storeTrouble = error.Message;
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(ProbeInterval, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
