using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresLateErasureTests(PostgresFixture fixture) : LateErasureConformance<PostgresFixture>(fixture);

public sealed class SqliteLateErasureTests(SqliteFixture fixture) : LateErasureConformance<SqliteFixture>(fixture);

/// <summary>A journal may hold unstored events from before an erasure: the store tells which, and accounts for them once.</summary>
public abstract class LateErasureConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture, new()
{
    private static readonly EventId End = new(ulong.MaxValue, ulong.MaxValue);
    private static readonly Guid Journal = Guid.NewGuid();

    private IEventStore Store => fixture.Stores.Events;

    private IErasureStore Erasures => fixture.Stores.Data.Erasures;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_an_erasure_meant_is_found_whether_it_is_finished_or_not(bool isFinished)
    {
        var events = await EventsAsync(fixture);
        await TwoJournalsAsync();
        JournaledEvent[] journaled = [events.Next(payload: """{"who":"a"}"""), events.Next(payload: """{"who":"b"}"""), events.Next(), events.Next()];
        var byPayload = New(events, new ErasureSelection { Path = ["who"], EqualTo = "\"a\"" });
        var byId = New(events, new ErasureSelection { EventIds = [journaled[2].Id] });
        foreach (var erasure in (Erasure[])[byPayload, byId])
        {
            Assert.True(await Erasures.AddAsync(erasure, CancellationToken.None));
            if (isFinished) await FinishAsync(erasure);
        }

        var found = await Store.FindErasedAsync(journaled, CancellationToken.None);

        Assert.Equal([(journaled[0].Id, byPayload.Id), (journaled[2].Id, byId.Id)], found.Select(one => (one.Event.Id, one.By.Id)));
        Assert.Empty(await Store.FindErasedAsync(new[] { journaled[1] }, CancellationToken.None));
        Assert.Empty(await Store.FindErasedAsync(default, CancellationToken.None));
    }

    [Fact]
    public async Task They_are_counted_as_accepted_and_erased_once_and_known_from_then_on()
    {
        await using var own = new OwnFixture<T>();
        var store = await own.OpenAsync();
        var events = await EventsAsync(store);
        var writer = await store.NewShardAsync();
        await store.NewShardAsync();
        await writer.AppendAsync(events.Next());
        JournaledEvent[] journaled = [events.Next(dedupId: "d"), events.Next(), events.Next()];
        var erasure = New(events, new ErasureSelection { EventIds = [journaled[0].Id, journaled[1].Id] });
        await store.Stores.Data.Erasures.AddAsync(erasure, CancellationToken.None);

        for (var time = 0; time < 2; time++)
        {
            var found = await store.Stores.Events.FindErasedAsync(journaled, CancellationToken.None);
            await store.Stores.Events.NoteErasedAsync(Journal, found, CancellationToken.None);
        }

        var no = events.OrganizationNo;
        var ledger = await store.Stores.Data.Ledger.ReadAsync(no, CancellationToken.None);
        Assert.Equal((3, 2, 3), (ledger.Accepted, ledger.Erased, ledger.Accounted));
        Assert.Empty(await store.Stores.Data.Ledger.FindDifferencesAsync(10, CancellationToken.None));
        Assert.Empty(await store.Stores.Data.Usage.FindDifferencesAsync(0, 10, CancellationToken.None));
        var known = await store.Stores.Replays.FindKnownAsync(journaled, CancellationToken.None);
        Assert.Equal([journaled[0].Id, journaled[1].Id], known.Removed.Order());
        Assert.Equal(
            journaled[0].Id, (await store.Stores.Events.FindDuplicateAsync(no, "d", default, CancellationToken.None))!.Value.Id);
        Assert.Single(await store.ReadAllAsync(no));
    }

    [Fact]
    public async Task All_of_an_erased_organization_is_found_and_nothing_of_it_is_written()
    {
        var events = await EventsAsync(fixture);
        await TwoJournalsAsync();
        var erasure = New(events, new ErasureSelection { Path = ["n"], EqualTo = "1" });
        await Erasures.AddAsync(erasure, CancellationToken.None);
        await Erasures.AddAsync(NewOfOrganization(events), CancellationToken.None);
        var journaled = events.Many(3);
        Assert.Equal(journaled.Select(item => item.Id), await FoundAsync(journaled));

        Assert.True((await Erasures.EraseOrganizationRowsAsync(events.OrganizationNo, 100, CancellationToken.None)).IsLast);
        await Erasures.EndOrganizationAsync(events.OrganizationNo, CancellationToken.None);

        Assert.Equal(journaled.Select(item => item.Id), await FoundAsync(journaled));
        await Store.NoteErasedAsync(Journal, await Store.FindErasedAsync(journaled, CancellationToken.None), CancellationToken.None);
        foreach (var table in (string[])["erased_events", "ledger_days", "usage_days"])
            Assert.Equal(0L, await fixture.ScalarAsync($"SELECT count(*) FROM {table} WHERE organization_no = {events.OrganizationNo}"));
    }

    [Fact]
    public async Task Neither_a_dry_run_nor_what_has_expired_means_any()
    {
        var events = await EventsAsync(fixture);
        await TwoJournalsAsync();
        var journaled = events.Many(2);
        var dry = New(events, new ErasureSelection { EventIds = [journaled[0].Id] }) with { IsDryRun = true };
        await Erasures.AddAsync(dry, CancellationToken.None);
        await fixture.Stores.Data.Retention.ExpireAsync(events.OrganizationNo, journaled[1].Id, 100, CancellationToken.None);

        Assert.Empty(await FoundAsync(journaled));
    }

    [Fact]
    public async Task Nothing_is_kept_where_there_is_one_journal_only()
    {
        await using var own = new OwnFixture<T>();
        var store = await own.OpenAsync();
        var events = await EventsAsync(store);
        await store.NewShardAsync();
        var erasure = New(events, new ErasureSelection { Path = ["who"], EqualTo = "\"a\"" });
        await store.Stores.Data.Erasures.AddAsync(erasure, CancellationToken.None);
        Assert.Equal("", await store.ScalarAsync($"SELECT late FROM erasures WHERE organization_no = {events.OrganizationNo}"));
    }

    private static Erasure New(TestEvents events, ErasureSelection selection) => new()
    {
        OrganizationNo = events.OrganizationNo,
        Id = Guid.CreateVersion7(),
        Kind = ErasureKind.Events,
        Selection = selection.Write(),
        Through = EventId.LowerBound(StoreFixture.Noon.AddHours(1)),
        RequestedAt = StoreFixture.Noon.AddHours(1),
    };

    private static Erasure NewOfOrganization(TestEvents events) =>
        New(events, new ErasureSelection { EventIds = [] }) with { Kind = ErasureKind.Organization, Selection = "" };

    private static async Task<TestEvents> EventsAsync(T store) => new(await KnownOrganization.NewAsync(store));

    private async Task<IEnumerable<EventId>> FoundAsync(JournaledEvent[] journaled) =>
        (await Store.FindErasedAsync(journaled, CancellationToken.None)).Select(one => one.Event.Id);

    private async Task FinishAsync(Erasure erasure)
    {
        var done = (await Erasures.EraseAsync(erasure, erasure with { Cursor = End }, [], default, CancellationToken.None))!;
        Assert.True(await Erasures.TryFinishAsync(done with { FinishedAt = StoreFixture.Noon }, CancellationToken.None));
        Assert.Equal("", (await Erasures.FindAsync(erasure.OrganizationNo, erasure.Id, CancellationToken.None))!.Selection);
    }

    private async Task TwoJournalsAsync()
    {
        await fixture.NewShardAsync();
        await fixture.NewShardAsync();
    }
}
