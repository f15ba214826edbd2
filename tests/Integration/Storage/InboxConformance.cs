using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresInboxTests(PostgresFixture fixture) : InboxConformance<PostgresFixture>(fixture);

public sealed class SqliteInboxTests(SqliteFixture fixture) : InboxConformance<SqliteFixture>(fixture);

/// <summary>Pages: order, cursor, offset, filters, total.</summary>
public abstract class InboxConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private readonly TestEvents _events = new(StoreFixture.NextNumber());

    private InboxQuery Query => new() { OrganizationNo = _events.OrganizationNo };

    [Fact]
    public async Task Newest_first_unless_asked_otherwise()
    {
        var batch = await AppendAsync(_events.Many(3));

        Assert.Equal(batch.Reverse(), Ids(await ReadAsync(Query)));
        Assert.Equal(batch, Ids(await ReadAsync(Query with { Ascending = true })));
    }

    [Fact]
    public async Task More_is_told_exactly()
    {
        await AppendAsync(_events.Many(3));

        Assert.True((await ReadAsync(Query with { Limit = 2 })).HasMore);
        var whole = await ReadAsync(Query with { Limit = 3 });
        Assert.False(whole.HasMore);
        Assert.Equal(3, whole.Events.Count);
        Assert.Null(whole.Total);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_thousand_events_of_one_millisecond_are_paged_by_seven_without_gap_or_twin(bool ascending)
    {
        var batch = await AppendAsync(_events.Many(1000));
        var seen = new List<EventId>();
        InboxPage page;
        do
        {
            page = await ReadAsync(Query with { Limit = 7, Ascending = ascending, Cursor = seen.Count == 0 ? null : seen[^1] });
            seen.AddRange(Ids(page));
        }
        while (page.HasMore);

        Assert.Equal(ascending ? batch : batch.Reverse(), seen);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_page_ends_early_at_its_bytes_and_the_pages_are_whole_all_the_same(bool ascending)
    {
        const int Count = 45;
        var large = "{\"text\":\"" + new string('x', EventLimits.MaxPayloadBytes - 11) + "\"}";
        var batch = await AppendAsync([.. Enumerable.Range(0, Count).Select(_ => _events.Next(payload: large))]);
        var pages = new List<InboxPage>();
        do
        {
            pages.Add(await ReadAsync(
                Query with { Limit = 1000, Ascending = ascending, Cursor = pages.Count == 0 ? null : pages[^1].Events[^1].Id }));
            Assert.NotEmpty(pages[^1].Events);
        }
        while (pages[^1].HasMore);

        const int Each = InboxPage.EndsAtBytes / EventLimits.MaxPayloadBytes;
        Assert.Equal([Each, Each, Count - (2 * Each)], pages.Select(page => page.Events.Count));
        Assert.Equal(ascending ? batch : batch.Reverse(), pages.SelectMany(Ids));

        // One that ends exactly where its bytes do has no more.
        var last = await ReadAsync(Query with { Limit = 1000, Ascending = true, Cursor = batch[Count - Each - 1] });
        Assert.Equal(batch[^Each..], Ids(last));
        Assert.False(last.HasMore);
    }

    [Fact]
    public async Task Pages_go_over_midnight()
    {
        var batch = await AppendAsync(_events.Many(2));
        _events.UnixMilliseconds += (long)TimeSpan.FromDays(1).TotalMilliseconds;
        var later = await AppendAsync(_events.Many(2));

        Assert.Equal([batch[1], later[0]], Ids(await ReadAsync(Query with { Ascending = true, Cursor = batch[0], Limit = 2 })));
        Assert.Equal([later[0], batch[1]], Ids(await ReadAsync(Query with { Cursor = later[1], Limit = 2 })));
    }

    [Fact]
    public async Task An_offset_passes_events_over()
    {
        var batch = await AppendAsync(_events.Many(5));

        Assert.Equal([batch[2], batch[3]], Ids(await ReadAsync(Query with { Ascending = true, Offset = 2, Limit = 2 })));
        Assert.Empty((await ReadAsync(Query with { Offset = 5 })).Events);
    }

    [Fact]
    public async Task Types_are_matched_exactly()
    {
        var batch = await AppendAsync([_events.Next("user.created"), _events.Next("user.created.x"), _events.Next("User.created")]);

        var page = await ReadAsync(Query with { Type = "user.created", IncludeTotal = true });

        Assert.Equal([batch[0]], Ids(page));
        Assert.Equal(1, page.Total);
        Assert.Empty((await ReadAsync(Query with { Type = "user\0created" })).Events);
    }

    [Fact]
    public async Task The_total_counts_all_that_match_whatever_the_page()
    {
        var batch = await AppendAsync(_events.Many(9));

        var page = await ReadAsync(Query with { Limit = 2, Cursor = batch[5], Offset = 1, IncludeTotal = true });

        Assert.Equal(9, page.Total);
        Assert.Equal([batch[3], batch[2]], Ids(page));
    }

    [Fact]
    public async Task Another_organizations_events_are_not_there()
    {
        var batch = await AppendAsync(_events.Many(1));

        Assert.Empty((await ReadAsync(Query with { OrganizationNo = StoreFixture.NextNumber() })).Events);
        Assert.Null(await fixture.Stores.Events.FindEventAsync(StoreFixture.NextNumber(), batch[0], CancellationToken.None));
        Assert.NotNull(await fixture.Stores.Events.FindEventAsync(_events.OrganizationNo, batch[0], CancellationToken.None));
    }

    [Fact]
    public async Task The_newest_event_with_a_dedup_id_is_found_from_the_given_id_on()
    {
        var first = _events.Next(dedupId: "order-1");
        var second = _events.Next(payload: "{}", dedupId: "order-1");
        await AppendAsync([first, second]);

        Assert.Equal(new DuplicateOf(second.Id, second.PayloadHash), await FindAsync("order-1", default));
        Assert.Equal(new DuplicateOf(second.Id, second.PayloadHash), await FindAsync("order-1", first.Id));
        Assert.Equal(new DuplicateOf(second.Id, second.PayloadHash), await FindAsync("order-1", second.Id));
        Assert.Null(await FindAsync("order-1", _events.Next().Id));
        Assert.Null(await FindAsync("Order-1", default));
        Assert.Null(await FindAsync("order\0", default));
        Assert.Null(await fixture.Stores.Events.FindDuplicateAsync(StoreFixture.NextNumber(), "order-1", default, CancellationToken.None));
    }

    [Fact]
    public async Task Many_dedup_ids_are_looked_up_at_once()
    {
        var first = _events.Next(dedupId: "order-1");
        var second = _events.Next(payload: "{}", dedupId: "order-1");
        var other = _events.Next(dedupId: "órder-2");
        await AppendAsync([first, second, other]);

        var found = await FindManyAsync(_events.OrganizationNo, default, "order-1", "órder-2", "order-3", "order\0");

        Assert.Equal(new DuplicateOf(second.Id, second.PayloadHash), found["order-1"]);
        Assert.Equal(new DuplicateOf(other.Id, other.PayloadHash), found["órder-2"]);
        Assert.Equal(2, found.Count);
        Assert.Equal(["órder-2"], (await FindManyAsync(_events.OrganizationNo, other.Id, "order-1", "órder-2")).Keys);
        Assert.Empty(await FindManyAsync(StoreFixture.NextNumber(), default, "order-1", "órder-2"));
        Assert.Empty(await FindManyAsync(_events.OrganizationNo, default));
    }

    private Task<IReadOnlyDictionary<string, DuplicateOf>> FindManyAsync(int organizationNo, EventId notBefore, params string[] dedupIds) =>
        fixture.Stores.Events.FindDuplicatesAsync(organizationNo, dedupIds, notBefore, CancellationToken.None);

    private Task<DuplicateOf?> FindAsync(string dedupId, EventId notBefore) =>
        fixture.Stores.Events.FindDuplicateAsync(_events.OrganizationNo, dedupId, notBefore, CancellationToken.None);

    private Task<InboxPage> ReadAsync(InboxQuery query) => fixture.Stores.Events.ReadInboxAsync(query, CancellationToken.None);

    private async Task<EventId[]> AppendAsync(JournaledEvent[] batch)
    {
        await (await fixture.NewShardAsync()).AppendAsync(batch);
        return [.. batch.Select(journaled => journaled.Id)];
    }

    private static IEnumerable<EventId> Ids(InboxPage page) => page.Events.Select(stored => stored.Id);
}
