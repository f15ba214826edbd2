using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// One order of events from submission to store: sequencer, journal, store writer and the watermarks between them, <c>Stored ≤ Synced ≤
/// Journaled</c>. Made by <see cref="OpenAsync"/>, which
/// replays what a former process left; ended by <see cref="StopAsync"/>.
/// </summary>
internal sealed partial class Shard : IErasableJournal, IAsyncDisposable
{
    /// <summary>The longest a read waits for what was answered before it.</summary>
    public static readonly TimeSpan BarrierWait = TimeSpan.FromSeconds(2);

    // How long an answer waits for its flush or commit before the client is told that the outcome is unknown.
    private static readonly TimeSpan AnswerWait = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(30);

    // A commit of a dead process can come late once; a checkpoint that moves on and on is another server's work.
    private const int ClaimTries = 5;

    private readonly SemaphoreSlim _erasing = new(1, 1);
    private readonly FileJournal _journal;
    private readonly Sequencer _sequencer;
    private readonly StoreWriter _writer;
    private readonly IngestOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _watch;
    private readonly ulong _recoveredThrough;
    private readonly ulong _lateThrough;
    private readonly EventId _lastIssued;
    private readonly string _refusedFiles;
    private readonly DataDirectory _directory;
    private ulong _progress;
    private long _progressAt;
    private Exception? _dedupFault;

    private Shard(
        DataDirectory directory,
        FileJournal journal,
        RefusedEvents refused,
        RecoveredJournal recovered,
        DedupWindow dedup,
        JournalBound bound,
        ShardClaim claim,
        ShardParts parts,
        IngestOptions options)
    {
        _directory = directory;
        (_journal, Dedup, Bound, _options, _time, _logger) = (journal, dedup, bound, options, parts.Time, parts.Logger);
        _writer = new StoreWriter(journal, claim, refused, bound, parts)
        {
            Fenced = RefuseFenced,
            LeftThrough = recovered.Events > 0 ? recovered.LastId : default,
        };
        _refusedFiles = refused.Pattern;
        _lastIssued = LastIssued(recovered, claim);
        _sequencer = new Sequencer(journal, dedup, _lastIssued, bound, _writer.Stored, options, parts.Time, parts.Logger) { IsAwaited = parts.IsAwaited };
        _recoveredThrough = recovered.Events > 0 ? recovered.LastId.High : 0;
        _lateThrough = IsLate(recovered, claim) ? _recoveredThrough : 0;
        Admission = new Admission(this, parts.Store, directory.DedupSecret, parts.Time);
        Recovered = recovered;
        _progressAt = parts.Time.GetTimestamp();
        _watch = parts.Time.CreateTimer(_ => Watch(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        _writer.Start(parts.Host);
        _journal.Readable.Set();
        _sequencer.Start(parts.Host);
    }

    /// <summary>Where events come in.</summary>
    public Admission Admission { get; }

    /// <summary>The dedup window.</summary>
    public DedupWindow Dedup { get; }

    /// <summary>What is ahead of the store.</summary>
    public JournalBound Bound { get; }

    /// <summary>What the start found.</summary>
    public RecoveredJournal Recovered { get; }

    /// <summary>The journal, for its figures.</summary>
    public FileJournal Journal => _journal;

    /// <inheritdoc/>
    public EventId FirstHeld => _journal.FirstHeld;

    /// <summary>The sequencer, for its figures.</summary>
    public Sequencer Sequencer => _sequencer;

    /// <summary>The store writer, for its figures.</summary>
    public StoreWriter Writer => _writer;

    /// <summary>Recovers the directory's journal against the store's checkpoint and starts the loops.</summary>
    /// <exception cref="JournalException">The journal cannot be used as it is.</exception>
    /// <exception cref="StoreException">The store is away.</exception>
    public static async Task<Shard> OpenAsync(
        DataDirectory directory,
        ShardParts parts,
        JournalOptions journal,
        IngestOptions ingest,
        DedupOptions dedup,
        CancellationToken cancellationToken)
    {
        for (var tries = 1; tries <= ClaimTries; tries++)
        {
            if (await TryOpenAsync(directory, parts, journal, ingest, dedup, cancellationToken) is { } shard) return shard;
        }

        throw new JournalException(
            $"The database's checkpoint of {directory.Path} moves while this server starts: another server works with a copy of this "
            + "directory. Stop it, then start the one that was used last.");
    }

    /// <summary>
    /// Recovers first and claims then: a directory that cannot go on from the store's checkpoint must not stop the server that can. Null
    /// when the checkpoint was moved meanwhile: by a commit of the former process that was still under way, or by another server.
    /// </summary>
    private static async Task<Shard?> TryOpenAsync(
        DataDirectory directory,
        ShardParts parts,
        JournalOptions journal,
        IngestOptions ingest,
        DedupOptions dedup,
        CancellationToken cancellationToken)
    {
        var stored = await parts.Store.ReadCheckpointAsync(0, directory.JournalId, cancellationToken);
        Shard? shard = null;
        var unstored = parts.Recovering();
        var window = new DedupWindow(dedup, long.MaxValue, () => shard?._writer.Stored.Position ?? 0, parts.Time, parts.Host);
        var bound = new JournalBound(journal.MaxBytes);
        var (opened, recovered) = FileJournal.Open(
            directory, journal, ingest.AckWhen > AckWhen.Journaled, stored, Preload, parts.Host, parts.Time, parts.Logger);
        if (await ClaimAsync(parts, directory.JournalId, stored, recovered, opened, cancellationToken) is not { } claim) return null;
        bound.Add(recovered.Events, recovered.Bytes);
        TakeKnownIds(directory, window, LastIssued(recovered, claim), parts.Logger); // nothing is evicted before there is a shard
        shard = new Shard(directory, opened, new RefusedEvents(directory), recovered, window, bound, claim, parts, ingest);

        // From here on every id goes through this process; ids can be ahead of the clock, so behind the last one issued, too.
        window.ExtendCoverage(Math.Max(parts.Time.GetUtcNow().ToUnixTimeMilliseconds(), shard._lastIssued.UnixMilliseconds) + 1);
        return shard;

        void Preload(JournaledEvent item)
        {
            unstored(item);
            if (item.DedupId.Length == 0) return;
            window.Preload(DedupKey.Of(item.DedupId.Span, item.OrganizationNo, directory.DedupSecret), item.Id, item.PayloadHash);
        }
    }

    /// <summary>Claims the shard; null, and the journal is closed, when the checkpoint has moved. Closes it also when the store is away.</summary>
    private static async Task<ShardClaim?> ClaimAsync(
        ShardParts parts, Guid journalId, Checkpoint stored, RecoveredJournal recovered, FileJournal opened, CancellationToken cancellationToken)
    {
        ShardClaim? claim = null;
        try
        {
            claim = await parts.Store.ClaimShardAsync(0, journalId, stored, cancellationToken);
            if (claim is { } held && IsLate(recovered, held))
                await parts.StoredLate(recovered.FirstUnstored, cancellationToken);
            if (claim is not null) await parts.Claimed(cancellationToken);
            return claim;
        }
        catch
        {
            claim = null;
            throw;
        }
        finally
        {
            if (claim is null) opened.Dispose();
        }
    }

    private static EventId LastIssued(RecoveredJournal recovered, ShardClaim claim) =>
        recovered.LastId > claim.HighestStored ? recovered.LastId : claim.HighestStored;

    /// <summary>Whether events are stored behind ones of another journal, which readers may have passed.</summary>
    private static bool IsLate(RecoveredJournal recovered, ShardClaim claim) =>
        recovered.Events > 0 && recovered.FirstUnstored < claim.HighestStored;

    /// <summary>
    /// Completes when the events that <see cref="ShardParts.StoredLate"/> told of are stored: whoever reads on from before them must not be
    /// past them by then. At once when there are none.
    /// </summary>
    public async Task LateStoredAsync(CancellationToken cancellationToken)
    {
        while (_writer.Stored.Position < _lateThrough && !_writer.IsFenced)
            await _writer.Stored.WaitAsync(_lateThrough, StallLimit, _time, cancellationToken);
    }

    /// <summary>Hands a submission to the sequencer.</summary>
    public void Submit(Submission submission) => _sequencer.Submit(submission);

    /// <summary>
    /// A duplicate that the request path found itself is answered as durable as the first one: at once where that is as durable as
    /// <see cref="IngestOptions.AckWhen"/> asks already, else when it is.
    /// False when it does not become so in time.
    /// </summary>
    public ValueTask<bool> WaitDurableAsync(EventId first, CancellationToken cancellationToken)
    {
        var mark = _options.AckWhen switch { AckWhen.Synced => _journal.Synced, AckWhen.Stored => _writer.Stored, _ => null };
        return mark is null || mark.Position >= first.High || _writer.Stored.Position >= first.High
            ? ValueTask.FromResult(true)
            : mark.WaitAsync(first.High, AnswerWait, _time, cancellationToken);
    }

    /// <summary>The <see cref="StoredBarrier"/>: waits until everything accepted for the organization so far is stored.</summary>
    public ValueTask<bool> WaitStoredAsync(Organization organization, CancellationToken cancellationToken)
    {
        var position = Math.Max(organization.LastAccepted, _recoveredThrough);
        if (_writer.Stored.Position >= position) return ValueTask.FromResult(true);
        _journal.Nudge();
        return _writer.Stored.WaitAsync(position, BarrierWait, _time, cancellationToken);
    }

    /// <summary>
    /// Erases stored events from the journal: from its segments, and what its ring still shows of them. False when they are not all stored
    /// in time; then to be tried again.
    /// </summary>
    public async Task<bool> TryEraseAsync(ErasedFrames erased, TimeSpan atMost, CancellationToken cancellationToken)
    {
        // One at a time: this server's erasures, and those that it follows.
        await _erasing.WaitAsync(cancellationToken);
        try
        {
            if (!await _journal.TryEraseAsync(erased, atMost, cancellationToken)) return false;
            var errand = Submission.Rent(_journal.WipeRing);
            _sequencer.Submit(errand);
            await errand.WaitAsync();
            errand.Return();
            return true;
        }
        finally
        {
            _erasing.Release();
        }
    }

    /// <summary>In words why events are not taken or not stored; empty when all is well.</summary>
    public IReadOnlyList<string> Troubles()
    {
        var troubles = new List<string>();
        if (_journal.Trouble is { } journal) troubles.Add(journal);
        if (_writer.Trouble is { } store) troubles.Add(store);
        var since = _writer.StoringSince;
        if (since != 0 && _time.GetUtcNow().ToUnixTimeMilliseconds() - since > 30_000)
            troubles.Add("The oldest event that is not stored yet is over 30 s old.");
        if (_time.GetElapsedTime(Volatile.Read(ref _progressAt)) > StallLimit)
            troubles.Add("Events wait, and nothing was stored for 30 s.");
        if (Bound.IsFull) troubles.Add("The journal is full: events are refused until half of Journal:MaxBytes is stored.");
        return troubles;
    }

    /// <summary>In words what an operator should look after although events are taken and stored; empty when all is well.</summary>
    public IReadOnlyList<string> Worries()
    {
        var worries = new List<string>();
        if (_journal.OpenGaps is ( > 0 and var gaps, var consent))
            worries.Add(
                $"The journal has {gaps} gap(s): accepted events are missing; see the log. Create the file {consent} when you know.");
        if (_writer.KeptInFiles is > 0 and var kept)
            worries.Add(
                $"{kept} event(s) were refused by the store and by its quarantine and are kept in {_refusedFiles}: store them by hand.");
        return worries;
    }

    /// <summary>
    /// Takes no more events, answers those in flight, flushes, stores what it can within the time, and closes the journal.
    /// </summary>
    public async Task StopAsync(TimeSpan atMost)
    {
        _sequencer.Complete();
        _journal.Nudge();
        await _sequencer.Completion;
        Failpoint.Pass(Failpoint.StopSequencerEnded);
        await _journal.Synced.WaitAsync(_sequencer.Journaled, atMost, _time, CancellationToken.None);
        _writer.Stop();
        await _writer.Completion.WaitAsync(atMost, _time).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await LeaveKnownIdsAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync();
        if (!_writer.Completion.IsCompleted) await StopAsync(TimeSpan.FromSeconds(10));
        if (_writer.Completion.IsCompleted) _writer.Dispose();
        _journal.Dispose();
        _erasing.Dispose();
    }

    /// <summary>
    /// What the process before left of its dedup ids counts, unless an event was accepted since: here, or by a server that had taken over and
    /// has stored some.
    /// </summary>
    private static void TakeKnownIds(DataDirectory directory, DedupWindow window, EventId lastIssued, ILogger logger)
    {
        try
        {
            if (DedupFile.Take(directory, lastIssued.High) is { } known) window.Restore(known);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Log.IdsNotTaken(logger, error.Message); // the store is asked instead
        }
    }

    private async Task LeaveKnownIdsAsync()
    {
        var last = new EventId(Math.Max(_lastIssued.High, _sequencer.Journaled), 0);
        try
        {
            DedupFile.Write(_directory, last.High, await Dedup.LeaveAsync(last));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Log.IdsNotLeft(_logger, error.Message);
        }
    }

    /// <summary>Compares positions, whatever the loops say of themselves: stored must move while it is behind.</summary>
    private void WatchProgress()
    {
        var stored = _writer.Stored.Position;
        if (stored == _progress && stored < Math.Max(_sequencer.Journaled, _recoveredThrough)) return;
        _progress = stored;
        Volatile.Write(ref _progressAt, _time.GetTimestamp());
    }

    /// <summary>Says once of each failed pass over the dedup window that it failed.</summary>
    private void WatchDedup()
    {
        if (Dedup.MaintenanceFault is not { } fault || ReferenceEquals(fault, _dedupFault)) return;
        _dedupFault = fault;
        Log.DedupFault(_logger, fault);
    }

    private void RefuseFenced() => _sequencer.Refuse("another server has taken the shard over");

    /// <summary>Each second: tells those who waited too long, refuses what could not be answered.</summary>
    private void Watch()
    {
        var since = _time.GetTimestamp() - (long)(AnswerWait.TotalSeconds * _time.TimestampFrequency);
        _journal.Synced.Expire(since);
        _writer.Stored.Expire(since);

        // After a failed flush nothing comes behind what was flushed: whoever waits for that to be stored waits in vain.
        if (_journal.State == JournalState.Poisoned && _writer.Stored.Position >= _journal.Synced.Position)
            _writer.Stored.Expire(long.MaxValue);
        WatchProgress();
        WatchDedup();
        if (_writer.IsFenced) RefuseFenced();
        else if (_options.AckWhen == AckWhen.Stored) _sequencer.Refuse(_writer.Trouble);
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.ShardDedupFault, LogLevel.Error,
            "A pass over the dedup window failed; duplicates are still found, memory may grow; the next pass tries again")]
        public static partial void DedupFault(ILogger logger, Exception fault);

        [LoggerMessage(
            LogEvents.ShardIdsNotTaken, LogLevel.Warning,
            "The dedup ids that the last stop left cannot be read ({Reason}); new ids are looked up in the store for a day")]
        public static partial void IdsNotTaken(ILogger logger, string reason);

        [LoggerMessage(
            LogEvents.ShardIdsNotLeft, LogLevel.Warning,
            "The dedup ids cannot be left for the next start ({Reason}); it looks new ids up in the store for a day")]
        public static partial void IdsNotLeft(ILogger logger, string reason);
    }
}
