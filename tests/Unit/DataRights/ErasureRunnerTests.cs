using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.DataRights;
using ZapierTriggers.Tests.Unit.Operations;

namespace ZapierTriggers.Tests.Unit.DataRights;

/// <summary>A purge that a reader is in the way of: tried again after a pause, and not with each chunk of other erasures.</summary>
public sealed class ErasureRunnerTests
{
    private const int Chunks = 5;

    [Fact]
    public async Task An_erasure_that_cannot_be_purged_is_tried_again_after_a_pause()
    {
        var store = new FakeStore(New(0), New(Chunks * 500)) { MayPurge = false };
        await using var scene = new Scene(store);
        await scene.StartAsync();

        Assert.Equal((1 + Chunks, 1, 0), (store.Chunks, store.Purges, store.Finished));
        await scene.PauseAsync();
        Assert.Equal((1 + Chunks, 2, 0), (store.Chunks, store.Purges, store.Finished));

        store.MayPurge = true;
        await scene.LastPauseAsync();
        Assert.Equal((1 + Chunks, 5, 2), (store.Chunks, store.Purges, store.Finished)); // what a former process owed, and one for each
    }

    [Fact]
    public async Task A_dry_run_is_finished_first_and_purged_after_it()
    {
        var store = new FakeStore(New(0) with { IsDryRun = true });
        await using var scene = new Scene(store);
        store.MayPurgeFor = 1;
        await scene.StartAsync();

        Assert.Equal((2, 1), (store.Purges, store.Finished));
        store.MayPurge = true;
        await scene.LastPauseAsync();
        Assert.Equal((3, 1), (store.Purges, store.Finished));
    }

    [Fact]
    public async Task What_a_former_process_has_erased_but_not_purged_is_only_finished()
    {
        var store = new FakeStore(New(3) with { Selection = "", IsJournalErased = true });
        await using var scene = new Scene(store);
        await scene.StartAsync(isPaused: false);

        Assert.Equal((0, 1), (store.Chunks, store.Finished));
    }

    private static Erasure New(int events)
    {
        var ids = Enumerable.Range(1, events).Select(n => new EventId((ulong)n, 0)).ToList();
        return new Erasure
        {
            OrganizationNo = 1,
            Id = Guid.NewGuid(),
            Kind = ErasureKind.Events,
            Selection = new ErasureSelection { EventIds = ids }.Write(),
            Through = new EventId(ulong.MaxValue, 0),
            RequestedAt = default,
        };
    }

    /// <summary>A runner, which nobody but its own timers wakes.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private readonly ScratchFolder _folder = new();
        private readonly ObservedTime _time = new();
        private readonly DataDirectory _directory;
        private readonly ErasureRunner _runner;

        public Scene(FakeStore store)
        {
            _directory = DataDirectory.Open(_folder.Path, TimeProvider.System);
            _runner = new ErasureRunner(
                store, accounts: null!, dispatcher: null!, static () => null, new RefusedEvents(_directory), _time,
                NullLogger<ErasureRunner>.Instance);
        }

        /// <summary>Returns when there is nothing more to do at first.</summary>
        public async Task StartAsync(bool isPaused = true)
        {
            await _runner.StartAsync(TestContext.Current.CancellationToken);
            Assert.Equal(isPaused, await _time.NextTimerAsync() == PurgePause.Length);
        }

        /// <summary>Waits out a pause, to the next one.</summary>
        public async Task PauseAsync()
        {
            _time.Advance(PurgePause.Length);
            Assert.Equal(PurgePause.Length, await _time.NextTimerAsync());
        }

        /// <summary>Waits out a pause behind which there is none.</summary>
        public async Task LastPauseAsync()
        {
            _time.Advance(PurgePause.Length);
            Assert.NotEqual(PurgePause.Length, await _time.NextTimerAsync());
        }

        public async ValueTask DisposeAsync()
        {
            await _runner.StopAsync(CancellationToken.None);
            _runner.Dispose();
            _directory.Dispose();
            _folder.Dispose();
        }
    }

    /// <summary>Tells of each timer that is made.</summary>
    private sealed class ObservedTime : FakeTimeProvider
    {
        private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

        public ValueTask<TimeSpan> NextTimerAsync() => _timers.Reader.ReadAsync(TestContext.Current.CancellationToken);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Assert.True(_timers.Writer.TryWrite(dueTime));
            return timer;
        }
    }

    /// <summary>Erasures whose events are not there any more, and a purge that fails as long as somebody reads.</summary>
    private sealed class FakeStore(params Erasure[] erasures) : IErasureStore
    {
        private readonly List<Erasure> _unfinished = [.. erasures];

        public bool MayPurge { get => MayPurgeFor > 0; set => MayPurgeFor = value ? int.MaxValue : 0; }

        /// <summary>How often nobody is in the way yet.</summary>
        public int MayPurgeFor { get; set; } = int.MaxValue;

        public int Chunks { get; private set; }

        public int Purges { get; private set; }

        public int Finished { get; private set; }

        public Task<IReadOnlyList<Erasure>> ReadUnfinishedAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<Erasure>>([.. _unfinished]);

        public Task<IReadOnlyList<EventId>> FindPresentAsync(
            int organizationNo, IReadOnlyList<EventId> ids, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<EventId>>([]);

        public Task<Erasure?> EraseAsync(
            Erasure known, Erasure moved, IReadOnlyList<EventId> ids, EventId journalFrom, CancellationToken cancellationToken)
        {
            if (known.Cursor != moved.Cursor) Chunks++;
            _unfinished[_unfinished.FindIndex(one => one.Id == known.Id)] = moved;
            return Task.FromResult<Erasure?>(moved);
        }

        public Task<bool> TryPurgeAsync(CancellationToken cancellationToken)
        {
            Purges++;
            return Task.FromResult(MayPurgeFor == int.MaxValue || MayPurgeFor-- > 0);
        }

        public async Task<bool> TryFinishAsync(Erasure finished, CancellationToken cancellationToken)
        {
            Assert.Equal(!finished.IsDryRun, finished.IsJournalErased);
            var settled = finished with { Selection = "", FinishedAt = null };
            _unfinished[_unfinished.FindIndex(one => one.Id == finished.Id)] = settled;
            if (!finished.IsDryRun && !await TryPurgeAsync(cancellationToken)) return false;
            Finished += _unfinished.RemoveAll(one => one.Id == finished.Id);
            return true;
        }

        public Task<IReadOnlySet<(int OrganizationNo, EventId Id)>> ReadInJournalAsync(
            int? organizationNo, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlySet<(int OrganizationNo, EventId Id)>>(new HashSet<(int OrganizationNo, EventId Id)>());

        public Task<bool> AddAsync(Erasure erasure, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<Erasure?> FindAsync(int organizationNo, Guid id, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<ScannedEvent>> ScanAsync(
            int organizationNo, EventId after, EventId through, string? type, int limit, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<ScannedEvent>> ReadQuarantineAsync(int organizationNo, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task ClearInJournalAsync(int organizationNo, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<(long Events, bool IsLast)> EraseOrganizationRowsAsync(
            int organizationNo, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task EndOrganizationAsync(int organizationNo, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
