using Microsoft.Extensions.Logging.Abstractions;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.DataRights;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DataRights;

/// <summary>What is read of others' erasures, and what the journal owes until it has done it.</summary>
public sealed class ErasureWatchTests : IAsyncDisposable
{
    private const int No = DeliveryRig.Organization;

    private readonly DeliveryRig _rig = new();
    private readonly Changes _changes = new();
    private readonly Journal _journal = new();
    private readonly ErasedHere _here = new();
    private readonly ErasureWatch _watch;
    private bool _hasShard = true;

    public ErasureWatchTests() => _watch = Create();

    public async ValueTask DisposeAsync()
    {
        _watch.Dispose();
        await _rig.DisposeAsync();
    }

    [Fact]
    public async Task An_erasure_is_read_on_from_where_it_was()
    {
        var id = _changes.Add(Id(2), Id(1), Id(2));
        await LookAsync();
        await LookAsync();
        _changes.Chunk(id, Id(4), Id(3), Id(4));
        await LookAsync();
        _changes.Add(Id(9), Id(9));
        await LookAsync();
        await LookAsync();

        Assert.Equal<EventId>([Id(1), Id(2), Id(3), Id(4), Id(9)], _changes.Read);
        Assert.All(_changes.Read, one => Assert.True(_rig.Dispatcher.Gone.Contains(No, one)));
        Assert.Equal<EventId>([Id(1), Id(2), Id(3), Id(4), Id(9)], _journal.Erased.Order());
    }

    [Fact]
    public async Task What_is_erased_here_is_not_read_until_another_server_goes_on_with_it()
    {
        var id = Guid.NewGuid();
        _here.Moving(id, default, Id(2));
        _changes.Chunk(id, Id(2), Id(1), Id(2));
        await LookAsync();
        _here.Moving(id, Id(2), Id(4));
        _changes.Chunk(id, Id(4), Id(3));
        await LookAsync();
        Assert.Empty(_changes.Read);

        _changes.Chunk(id, Id(6), Id(5));
        await LookAsync();
        Assert.Equal<EventId>([Id(1), Id(2), Id(3), Id(5)], _changes.Read);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_ended_without_this_journal_is_read(bool isJournalErased)
    {
        var id = Guid.NewGuid();
        _here.Moving(id, default, Id(2));
        if (isJournalErased) _here.JournalErased(id);
        _changes.Chunk(id, Id(2), Id(1), Id(2));
        _changes.Finish(id, _rig.Clock.GetUtcNow());
        await LookAsync();

        Assert.Equal(isJournalErased ? 0 : 2, _journal.Erased.Count);
    }

    [Fact]
    public async Task The_journal_owes_what_it_could_not_erase()
    {
        _journal.Failure = new IOException("full");
        _changes.Add(Id(2), Id(1), Id(2));
        await Assert.ThrowsAsync<IOException>(() => _watch.LookAsync(CancellationToken.None));
        Assert.True(_rig.Dispatcher.Gone.Contains(No, Id(1)));
        _rig.Clock.Advance(OwedByJournal.Rest);

        (_journal.Failure, _journal.IsStored) = (null, false);
        await LookAsync();
        (_journal.IsStored, _hasShard) = (true, false);
        await LookAsync();
        Assert.Empty(_journal.Erased);

        _hasShard = true;
        await LookAsync();
        Assert.Equal<EventId>([Id(1), Id(2)], _journal.Erased.Order());
        Assert.Equal(2, _changes.Read.Count);
        await LookAsync();
        Assert.Equal(3, _journal.Calls);
    }

    [Fact]
    public async Task A_long_erasure_does_not_have_the_journal_written_anew_with_each_chunk()
    {
        var id = _changes.Add(Id(1), Id(1));
        await LookAsync();
        for (ulong n = 2; n < 100; n++)
        {
            _changes.Chunk(id, Id(n), Id(n));
            await _watch.LookAsync(CancellationToken.None);
        }

        _rig.Clock.Advance(OwedByJournal.Rest);
        await LookAsync();
        Assert.Equal(99, _journal.Erased.Count);
        Assert.InRange(_journal.Calls, 2, 3);
    }

    [Fact]
    public async Task The_start_looks_back_as_far_as_the_journal_holds_and_later_looks_to_the_last_one()
    {
        var start = _rig.Clock.GetUtcNow();
        _journal.FirstHeld = Id(2);
        var id = _changes.Add(Id(3), Id(1), Id(2), Id(3));
        _changes.Finish(id, start.AddHours(-20));
        await LookAsync();
        Assert.Equal(start.AddHours(-25), _changes.Since);
        Assert.Equal<EventId>([Id(2), Id(3)], _journal.Erased.Order());
        Assert.False(_rig.Dispatcher.Gone.Contains(No, Id(2))); // memory cannot hold it

        _changes.Failure = new StoreException(StoreFailure.Unavailable, "away");
        var last = _rig.Clock.GetUtcNow() - OwedByJournal.Rest;
        _rig.Clock.Advance(TimeSpan.FromHours(3));
        await Assert.ThrowsAsync<StoreException>(() => _watch.LookAsync(CancellationToken.None));
        _changes.Failure = null;
        await LookAsync();
        Assert.Equal(last.AddHours(-1), _changes.Since);
    }

    private static EventId Id(ulong n) => new(n, n);

    private ErasureWatch Create() => new(
        _changes, _rig.Dispatcher, () =>
            _hasShard ? _journal : null, _here, TimeSpan.FromHours(24), _rig.Clock, NullLogger<ErasureWatch>.Instance);

    private async Task LookAsync()
    {
        await _watch.LookAsync(CancellationToken.None);
        _rig.Clock.Advance(OwedByJournal.Rest);
    }

    private sealed class Journal : IErasableJournal
    {
        public EventId FirstHeld { get; set; }

        public Exception? Failure { get; set; }

        public bool IsStored { get; set; } = true;

        public HashSet<EventId> Erased { get; } = [];

        public int Calls { get; private set; }

        public Task<bool> TryEraseAsync(ErasedFrames erased, TimeSpan atMost, CancellationToken cancellationToken)
        {
            Calls++;
            if (Failure is not null) throw Failure;
            if (!IsStored) return Task.FromResult(false);
            for (ulong n = 1; n < 200; n++)
                if (erased.Includes(No, Id(n))) Erased.Add(Id(n));
            return Task.FromResult(true);
        }
    }

    private sealed class Changes : IAccountChanges
    {
        private readonly Dictionary<Guid, ErasureElsewhere> _erasures = [];
        private readonly List<(Guid Erasure, EventId End, EventId Id)> _rows = [];

        public List<EventId> Read { get; } = [];

        public DateTimeOffset Since { get; private set; }

        public Exception? Failure { get; set; }

        public Guid Add(EventId end, params EventId[] ids)
        {
            var id = Guid.NewGuid();
            Chunk(id, end, ids);
            return id;
        }

        public void Chunk(Guid id, EventId end, params EventId[] ids)
        {
            _rows.AddRange(ids.Select(one => (id, end, one)));
            _erasures[id] = new(No, id, ErasureKind.Events, _rows.Count(row => row.Erasure == id), end, FinishedAt: null);
        }

        public void Finish(Guid id, DateTimeOffset at) => _erasures[id] = _erasures[id] with { FinishedAt = at };

        public Task<IReadOnlyList<ErasureElsewhere>> ReadErasuresAsync(DateTimeOffset since, CancellationToken cancellationToken)
        {
            Since = since;
            if (Failure is not null) throw Failure;
            return Task.FromResult<IReadOnlyList<ErasureElsewhere>>([.. _erasures.Values]);
        }

        public Task<IReadOnlyList<EventId>> ReadErasedAsync(ErasureElsewhere erasure, EventId after, CancellationToken cancellationToken)
        {
            List<EventId> ids =
                [.. _rows.Where(row => row.Erasure == erasure.Id && row.End > after && row.End <= erasure.Cursor).Select(row => row.Id)];
            Read.AddRange(ids);
            return Task.FromResult<IReadOnlyList<EventId>>(ids);
        }

        public Task<long> ReadVersionAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<int>> ReadChangedAsync(long since, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<AccountSnapshot> ReadAccountsAsync(IReadOnlyCollection<int> organizationNos, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<EndpointRecord>> ReadEndpointsAsync(
            IReadOnlyCollection<int> organizationNos, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task ListenAsync(Action<StoreNews> heard, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
