using System.Globalization;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>A few of many events cost a few rows, also while PostgreSQL knows nothing of the tables yet.</summary>
public sealed class PostgresLookUpTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const int Stored = 20_000;
    private const int Acknowledged = 5_000;
    private const int Calls = 10;
    private const int Listed = 20;
    private const int ToAcknowledge = 1_000;
    private const int ToRemove = 100;

    private readonly int _organizationNo = StoreFixture.NextNumber();

    [Fact]
    public async Task Pages_acknowledgements_and_removals_of_some_do_not_read_the_others()
    {
        await FillAsync();
        await using (var stores = await fixture.OpenAsync())
        {
            var query = new InboxQuery
            {
                OrganizationNo = _organizationNo,
                Ascending = true,
                Limit = Listed,
                Status = EventStatus.Delivered,
            };
            for (var call = 0; call < Calls; call++)
                Assert.Equal(Listed, (await stores.Events.ReadInboxAsync(query, CancellationToken.None)).Events.Count);
        }

        await AssertReadAsync("acks", Calls * Listed);
        await using (var stores = await fixture.OpenAsync())
        {
            for (var call = 0; call < Calls; call++)
            {
                EventId[] ids = [.. Enumerable.Range(0, ToAcknowledge).Select(one => IdOf((one * (Stored / ToAcknowledge)) + call))];
                var made = await stores.Events.AcknowledgeAsync(_organizationNo, ids, StoreFixture.Noon, CancellationToken.None);
                Assert.All(made.Times, time => Assert.NotNull(time));
            }

            for (var call = 0; call < Calls; call++)
            {
                var expired = await stores.Data.Retention.ExpireAsync(_organizationNo, IdOf(Stored), ToRemove, CancellationToken.None);
                Assert.Equal(ToRemove, expired.Events);
            }
        }

        await AssertReadAsync("events", Calls * (ToAcknowledge + ToRemove));
    }

    private static EventId IdOf(int number) => EventId.LowerBound(StoreFixture.Noon.AddMilliseconds(number));

    /// <summary>Events of a millisecond each, of which the oldest are acknowledged, in tables that nobody analyzes.</summary>
    private async Task FillAsync()
    {
        var first = StoreFixture.Noon.ToUnixTimeMilliseconds();
        var end = IdOf(0).ToString()[14..]; // what is behind the milliseconds
        var id = string.Create(CultureInfo.InvariantCulture, $"(lpad(to_hex({first} + n), 12, '0') || '-{end}')::uuid");
        await fixture.ScalarAsync($"""
            ALTER TABLE events_20260310 SET (autovacuum_enabled = off);
            ALTER TABLE acks SET (autovacuum_enabled = off);
            INSERT INTO events (organization_no, id, type, payload_hash, payload)
            SELECT {_organizationNo}, {id}, 'a', 0, '\x7b7d' FROM generate_series(0, {Stored - 1}) n;
            INSERT INTO acks SELECT {_organizationNo}, {id}, now() FROM generate_series(0, {Acknowledged - 1}) n
            """);
    }

    /// <summary>
    /// Waits until the statements' counts are told, which a session does at its end, and holds them to a few for each row that was wanted.
    /// </summary>
    private async Task AssertReadAsync(string table, int wanted)
    {
        var sql = $"""
            SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE schemaname = current_schema() AND relname LIKE '{table}%'
            """;
        var read = 0L;
        await Poll.UntilAsync(async () => (read = (long)(await fixture.ScalarAsync(sql))!) >= wanted, "the rows read are counted");
        Assert.InRange(read, wanted, 4 * wanted);
    }
}
