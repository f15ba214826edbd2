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
    public async Task A_purge_that_failed_is_tried_again_after_a_pause()
    {
        using var folder = new ScratchFolder();
        using var directory = DataDirectory.Open(folder.Path, TimeProvider.System);
        var time = new ObservedTime();
        var store = new FakeStore(New(0), New(Chunks * 500));
        using var runner = new ErasureRunner(
            store, accounts: null!, dispatcher: null!, static () => null, new RefusedEvents(directory), time,
            NullLogger<ErasureRunner>.Instance);
        await runner.StartAsync(TestContext.Current.CancellationToken);

        Assert.Equal(PurgePause.Length, await time.NextTimerAsync());
        Assert.Equal((Chunks + 1, 1), (store.Chunks, store.Purges));
        time.Advance(PurgePause.Length);
        Assert.Equal(PurgePause.Length, await time.NextTimerAsync());
        Assert.Equal(2, store.Purges);

        store.MayPurge = true;
        time.Advance(PurgePause.Length);
        Assert.NotEqual(PurgePause.Length, await time.NextTimerAsync());
        Assert.Equal((6, 2), (store.Purges, store.Finished)); // and once more behind each one's end
        await runner.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task What_a_reader_keeps_from_being_purged_at_the_end_is_purged_after_a_pause()
    {
        using var folder = new ScratchFolder();
        using var directory = DataDirectory.Open(folder.Path, TimeProvider.System);
        var time = new ObservedTime();
        var store = new FakeStore(New(0)) { MayPurge = true, IsReadAtTheEnd = true };
        using var runner = new ErasureRunner(
            store, accounts: null!, dispatcher: null!, static () => null, new RefusedEvents(directory), time,
            NullLogger<ErasureRunner>.Instance);
        await runner.StartAsync(TestContext.Current.CancellationToken);

        Assert.Equal(PurgePause.Length, await time.NextTimerAsync());
        Assert.Equal((2, 1), (store.Purges, store.Finished));
        time.Advance(PurgePause.Length);
        Assert.Equal(PurgePause.Length, await time.NextTimerAsync());
        Assert.Equal(3, store.Purges);

        store.MayPurge = true;
        time.Advance(PurgePause.Length);
        Assert.NotEqual(PurgePause.Length, await time.NextTimerAsync());
        Assert.Equal(4, store.Purges);
        await runner.StopAsync(TestContext.Current.CancellationToken);
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

        public bool MayPurge { get; set; }

        public bool IsReadAtTheEnd { get; init; }

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
            return Task.FromResult(MayPurge);
        }

        public Task FinishAsync(Erasure finished, CancellationToken cancellationToken)
        {
            Finished += _unfinished.RemoveAll(one => one.Id == finished.Id);
            MayPurge &= !IsReadAtTheEnd;
            return Task.CompletedTask;
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

        public Task<(long Events, bool IsDone)> EraseOrganizationAsync(
            int organizationNo, int limit, bool mayEnd, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
