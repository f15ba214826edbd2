using System.Text;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// The way of an event from the request to its receipt. Without a dedup id it goes to the sequencer; with one, the window is asked first,
/// and the store as often as the window cannot prove a miss. The receipt is nearly always there when the submission returns; then nothing
/// here costs a suspension.
/// </summary>
internal sealed class Admission(Shard shard, IEventStore store, ulong dedupSecret, TimeProvider time)
{
    /// <summary>
    /// Submits an event without an id; its memories must stay untouched until the receipt is there. Throws <see cref="StoreException"/>
    /// when the store must be asked and cannot be; nothing has happened then.
    /// </summary>
    public ValueTask<Receipt> SubmitAsync(Organization organization, in JournaledEvent item, CancellationToken cancellationToken) =>
        item.DedupId.IsEmpty
            ? SubmitAsync(organization, item, default, storeAskedAt: -1)
            : SubmitOnceAsync(organization, item, cancellationToken);

    /// <summary>
    /// Submits a batch. The receipt says whether it was decided (<see cref="ReceiptKind.Accepted"/>), as one; each item then has its own.
    /// Throws as the other one does.
    /// </summary>
    public async ValueTask<Receipt> SubmitAsync(Organization organization, EventBatch batch, CancellationToken cancellationToken)
    {
        var createdAt = organization.CreatedAt.ToUnixTimeMilliseconds();
        var askedAt = -1L;
        while (true)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (!batch.TryFindDuplicates(shard.Dedup, createdAt, now, askedAt))
            {
                askedAt = shard.Dedup.EvictionVersion;
                await FindStoredAsync(organization, batch, now, cancellationToken);
            }

            var submission = Submission.Rent(organization, batch, askedAt);
            shard.Submit(submission);
            var receipt = await submission.WaitAsync();
            submission.Return();
            if (receipt.Kind != ReceiptKind.AskStore) return receipt;
            askedAt = -1;
        }
    }

    private async ValueTask<Receipt> SubmitOnceAsync(Organization organization, JournaledEvent item, CancellationToken cancellationToken)
    {
        var key = DedupKey.Of(item.DedupId.Span, organization.No, dedupSecret);
        var createdAt = organization.CreatedAt.ToUnixTimeMilliseconds();
        var askedAt = -1L;
        while (true)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (shard.Dedup.TryFind(key, now, out var first))
            {
                var isDurable = await shard.WaitDurableAsync(first.Id, cancellationToken);
                return isDurable ? new Receipt(ReceiptKind.Duplicate, first.Id, first.PayloadHash) : Receipt.Unknown;
            }

            if (askedAt < 0 && !shard.Dedup.IsMissProof(key, createdAt, now))
            {
                askedAt = shard.Dedup.EvictionVersion;
                if (await FindStoredAsync(organization, item, now, cancellationToken) is { } stored)
                    return new Receipt(ReceiptKind.Duplicate, stored.Id, stored.PayloadHash);
            }

            var receipt = await SubmitAsync(organization, item, key, askedAt);
            if (receipt.Kind != ReceiptKind.AskStore) return receipt;
            askedAt = -1;
        }
    }

    private Task<DuplicateOf?> FindStoredAsync(
        Organization organization, in JournaledEvent item, long now, CancellationToken cancellationToken)
    {
        var notBefore = EventId.LowerBound(DateTimeOffset.FromUnixTimeMilliseconds(now - DedupWindow.LengthMs + 1));
        return store.FindDuplicateAsync(organization.No, Encoding.UTF8.GetString(item.DedupId.Span), notBefore, cancellationToken);
    }

    /// <summary>Decides those of the batch that the store knows, by one question.</summary>
    private async Task FindStoredAsync(Organization organization, EventBatch batch, long now, CancellationToken cancellationToken)
    {
        var ids = batch.OpenDedupIds(shard.Dedup, organization.CreatedAt.ToUnixTimeMilliseconds(), now);
        var notBefore = EventId.LowerBound(DateTimeOffset.FromUnixTimeMilliseconds(now - DedupWindow.LengthMs + 1));
        batch.Decide(await store.FindDuplicatesAsync(organization.No, ids, notBefore, cancellationToken));
    }

    /// <summary>Not async itself, so that a receipt that is there at once costs no state machine.</summary>
    private ValueTask<Receipt> SubmitAsync(Organization organization, in JournaledEvent item, DedupKey key, long storeAskedAt)
    {
        var submission = Submission.Rent(organization, item, key, storeAskedAt);
        shard.Submit(submission);
        var receipt = submission.WaitAsync();
        if (!receipt.IsCompletedSuccessfully) return AwaitAsync(submission, receipt);
#pragma warning disable VSTHRD103 // it is there
        var result = receipt.Result;
#pragma warning restore VSTHRD103
        submission.Return();
        return ValueTask.FromResult(result);
    }

    private static async ValueTask<Receipt> AwaitAsync(Submission submission, ValueTask<Receipt> receipt)
    {
        var result = await receipt;
        submission.Return();
        return result;
    }
}
