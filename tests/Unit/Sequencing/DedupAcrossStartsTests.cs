using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Tests.Unit.Journal;
using ZapierTriggers.Tests.Unit.Storing;

namespace ZapierTriggers.Tests.Unit.Sequencing;

/// <summary>Which dedup ids a start knows without asking the store.</summary>
public sealed class DedupAcrossStartsTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly StoreModel _store = new();

    [Fact]
    public async Task After_a_stop_new_ids_are_known_for_new_and_old_ones_are_asked_for()
    {
        var organization = await FirstLifeAsync();
        for (var start = 0; start < 3; start++)
        {
            await using var test = await OpenAsync("a");
            Assert.Equal(ReceiptKind.AskStore, await SubmitAsync(test, organization, "old"));
            Assert.Equal(ReceiptKind.AskStore, await SubmitAsync(test, organization, "older"));
            Assert.Equal(ReceiptKind.Accepted, await SubmitAsync(test, organization, $"new-{start}"));
            Assert.Equal(ReceiptKind.Duplicate, await SubmitAsync(test, organization, $"new-{start}"));
            if (start > 0) Assert.Equal(ReceiptKind.AskStore, await SubmitAsync(test, organization, $"new-{start - 1}"));
        }
    }

    [Fact]
    public async Task After_a_crash_the_store_is_asked_for_all_ids()
    {
        var organization = await FirstLifeAsync();
        File.Delete(_directory.At($"a/{DedupFile.Name}")); // only a stop leaves it
        await using var test = await OpenAsync("a");
        Assert.Equal(ReceiptKind.AskStore, await SubmitAsync(test, organization, "new"));
    }

    [Fact]
    public async Task What_an_earlier_stop_left_counts_no_more_when_an_event_was_accepted_since()
    {
        var organization = await FirstLifeAsync();
        var left = _directory.At($"a/{DedupFile.Name}");
        var early = File.ReadAllBytes(left);
        await using (var second = await OpenAsync("a")) Assert.Equal(ReceiptKind.Accepted, await SubmitAsync(second, organization, "late"));
        File.WriteAllBytes(left, early);
        await using var test = await OpenAsync("a");
        Assert.Equal(ReceiptKind.AskStore, await SubmitAsync(test, organization, "late"));
        Assert.Equal(ReceiptKind.AskStore, await SubmitAsync(test, organization, "new"));
    }

    [Fact]
    public async Task Nor_when_another_server_has_stored_events_since()
    {
        var organization = await FirstLifeAsync();
        await using (var other = await OpenAsync("b"))
        {
            var receipt = await other.SubmitAsync("elsewhere", organization: organization, storeAskedAt: other.Shard.Dedup.EvictionVersion);
            Assert.Equal(ReceiptKind.Accepted, receipt.Kind);
            await other.StoredAsync(receipt.Id);
        }

        await using var test = await OpenAsync("a");
        Assert.Equal(ReceiptKind.AskStore, await SubmitAsync(test, organization, "elsewhere"));
    }

    [Fact]
    public async Task What_is_not_stored_at_a_stop_is_found_in_the_journal()
    {
        Organization organization;
        await using (var first = await OpenAsync("a"))
        {
            organization = NewOrganization();
            _store.IsAway = true;
            Assert.Equal(ReceiptKind.Accepted, await SubmitAsync(first, organization, "waiting"));
            await first.Shard.StopAsync(TimeSpan.Zero);
        }

        _store.IsAway = false;
        await using var test = await OpenAsync("a");
        Assert.Equal(ReceiptKind.Duplicate, await SubmitAsync(test, organization, "waiting"));
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    /// <summary>An organization made when the server ran already: it knows all of its ids.</summary>
    private static Organization NewOrganization() => ShardUnderTest.NewOrganization(DateTimeOffset.UtcNow.AddMilliseconds(5));

    private static async Task<ReceiptKind> SubmitAsync(ShardUnderTest test, Organization organization, string dedupId) =>
        (await test.SubmitAsync(dedupId, organization: organization)).Kind;

    private async Task<Organization> FirstLifeAsync()
    {
        await using var first = await OpenAsync("a");
        var organization = NewOrganization();
        Assert.Equal(ReceiptKind.Accepted, await SubmitAsync(first, organization, "older"));
        var last = await first.SubmitAsync("old", organization: organization);
        Assert.Equal(ReceiptKind.Accepted, last.Kind);
        await first.StoredAsync(last.Id);
        return organization;
    }

    private Task<ShardUnderTest> OpenAsync(string name) => ShardUnderTest.OpenAsync(_directory.At(name), _store);
}
