using System.Collections.Concurrent;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// Takes over what other servers on the same database change about organizations, keys and endpoints, within two seconds: it looks at the
/// database's version each second, and at once when the database notifies it. A connection that hears nothing any more costs only the
/// second. What this process changes itself is read again too, so that of two changes at once every server ends with the stored one. It
/// also passes on what else the database notifies of.
/// </summary>
internal sealed partial class AccountWatch(
    IAccountChanges changes, AccountDirectory accounts, Dispatcher dispatcher, TimeProvider time, ILogger<AccountWatch> logger)
    : BackgroundService
{
    /// <summary>Between two looks when nothing is heard.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Organizations that are read in one go.</summary>
    private const int MostAtOnce = 1_000;

    private readonly WakeSignal _wake = new();
    private readonly ConcurrentDictionary<int, bool> _changedHere = new();
    private readonly Backoff _reading = new(time);
    private readonly Backoff _listening = new(time);
    private long _version;

    /// <summary>Told when another server has erased something.</summary>
    public Action? ErasuresHeard { get; set; }

    /// <summary>
    /// Notes the version before anything is loaded; what is changed from there on is read. Throws
    /// <see cref="Core.Storing.StoreException"/>.
    /// </summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        _version = await changes.ReadVersionAsync(cancellationToken);
        accounts.ChangedHere = no =>
        {
            _changedHere[no] = true;
            _wake.Set();
        };
    }

    /// <summary>
    /// One look. Throws <see cref="Core.Storing.StoreException"/>; what was not taken over is taken over by the next one.
    /// </summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var version = await changes.ReadVersionAsync(cancellationToken);
        int[] here = [.. _changedHere.Keys];
        if (version == _version && here.Length == 0) return;

        // A version that has gone back: the database has lost commits, so nothing that was read from it is sure.
        var since = version < _version ? 0 : _version;
        IReadOnlyList<int> elsewhere = version == _version ? [] : await changes.ReadChangedAsync(since, cancellationToken);
        foreach (var chunk in elsewhere.Concat(here).Distinct().Chunk(MostAtOnce)) await TakeOverAsync(chunk, cancellationToken);
        _version = version;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Neither call holds up the start.
        await Task.Yield();
        await Task.WhenAll(LookAgainAsync(stoppingToken), ListenAsync(stoppingToken));
    }

    private async Task TakeOverAsync(int[] nos, CancellationToken cancellationToken)
    {
        // In this order: what is changed here after its mark is noted again, and read once more.
        foreach (var no in nos) _changedHere.TryRemove(no, out _);
        var marks = nos.ToDictionary(static no => no, accounts.ChangesOf);
        try
        {
            var read = await changes.ReadAccountsAsync(nos, cancellationToken);
            var records = read.Organizations.ToDictionary(static record => record.No);
            var keys = read.Keys.ToLookup(static key => key.OrganizationNo);
            foreach (var no in nos)
            {
                var record = records.GetValueOrDefault(no);
                if (accounts.TakeOver(no, marks[no], record, [.. keys[no]]) is { } organization)
                    dispatcher.Hold(no, organization.IsSuspended);
            }

            await dispatcher.TakeOverAsync(nos, cancelled => changes.ReadEndpointsAsync(nos, cancelled), cancellationToken);
        }
        catch
        {
            foreach (var no in nos) _changedHere[no] = true;
            throw;
        }

        Log.TakenOver(logger, nos.Length);
    }

    private async Task LookAgainAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var wait = Interval;
            try
            {
                await LookAsync(stop);
                _reading.Succeeded();
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Whatever it is: a loop that ended would leave this server with what it knows for ever.
                if (_reading.IsGrowing) Log.NotRead(logger, error is Core.Storing.StoreException ? null : error, error.Message);
                wait = _reading.Failed();
                await _reading.WaitAsync(wait, stop);
                continue;
            }

            await _wake.WaitAsync(wait, time, stop);
        }
    }

    private async Task ListenAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await changes.ListenAsync(Heard, stop);
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                if (_listening.IsGrowing) Log.NotListening(logger, error is Core.Storing.StoreException ? null : error, error.Message);
            }

            await _listening.WaitAsync(_listening.Failed(), stop);
        }
    }

    private void Heard(StoreNews news)
    {
        _listening.Succeeded();
        if (news == StoreNews.Accounts) _wake.Set();
        else if (news == StoreNews.Retries) dispatcher.RetriesDue(time.GetUtcNow());
        else ErasuresHeard?.Invoke();
    }

    private static partial class Log
    {
        [LoggerMessage(LogEvents.AccountWatchNotRead, LogLevel.Warning,
            "What other servers change about accounts cannot be read ({Reason}); it is tried again")]
        public static partial void NotRead(ILogger logger, Exception? error, string reason);

        [LoggerMessage(LogEvents.AccountWatchNotListening, LogLevel.Information,
            "Not notified of changes to accounts ({Reason}): they are looked for each second, and listening is tried again")]
        public static partial void NotListening(ILogger logger, Exception? error, string reason);

        [LoggerMessage(LogEvents.AccountWatchTakenOver, LogLevel.Debug, "Accounts, keys and endpoints of {Count} organizations read again")]
        public static partial void TakenOver(ILogger logger, int count);
    }
}
