using System.IO.Hashing;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Unit.Journal;
using ZapierTriggers.Tests.Unit.Storing;

namespace ZapierTriggers.Tests.Unit.Sequencing;

/// <summary>A shard with real files, over a store in memory.</summary>
internal sealed class ShardUnderTest : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static int _organizations;
    private int _number;

    private ShardUnderTest(DataDirectory directory, Shard shard, StoreModel store)
    {
        (Directory, Shard, Store) = (directory, shard, store);
    }

    public DataDirectory Directory { get; }

    public Shard Shard { get; }

    public StoreModel Store { get; }

    /// <summary>Newer than all that was accepted before, so a miss of the dedup window is proof for it.</summary>
    public Organization Organization { get; } = NewOrganization();

    public static async Task<ShardUnderTest> OpenAsync(
        string path,
        StoreModel? store = null,
        AckWhen ackWhen = AckWhen.Journaled,
        JournalOptions? journal = null,
        IngestOptions? ingest = null,
        TimeProvider? time = null,
        Func<EventId, CancellationToken, Task>? storedLate = null,
        Action<IReadOnlyList<LateErased>>? erasedLate = null)
    {
        store ??= new StoreModel();
        var directory = DataDirectory.Open(path, TimeProvider.System);
        var parts = new ShardParts(store, _ => { }, time ?? TimeProvider.System, NullLogger.Instance)
        {
            StoredLate = storedLate ?? ((_, _) => Task.CompletedTask),
            ErasedLate = erasedLate ?? (static _ => { }),
        };
        var options = (ingest ?? new IngestOptions()) with { AckWhen = ackWhen };
        var shard = await Shard.OpenAsync(directory, parts, journal ?? JournalUnderTest.Small, options, new DedupOptions(), default);
        return new ShardUnderTest(directory, shard, store);
    }

    /// <summary>An organization that is a minute newer than the one before.</summary>
    public static Organization NewOrganization(int no = 7) =>
        NewOrganization(DateTimeOffset.UtcNow.AddMinutes(Interlocked.Increment(ref _organizations)), no);

    public static Organization NewOrganization(DateTimeOffset createdAt, int no = 7) => new(new OrganizationRecord
    {
        No = no,
        Id = Guid.NewGuid(),
        Name = "o",
        Tier = "free",
        RateLimitPerMinute = null,
        Route = "AAAAAAAA",
        CreatedAt = createdAt,
        UpdatedAt = createdAt,
    });

    /// <summary>Submits an event; the receipt comes when it comes.</summary>
    public Task<Receipt> SubmitAsync(string dedupId = "", int payloadBytes = 100, Organization? organization = null, long storeAskedAt = -1)
    {
        organization ??= Organization;
        var payload = Encoding.UTF8.GetBytes($"{{\"n\":{Interlocked.Increment(ref _number)},\"f\":\"".PadRight(payloadBytes, 'x') + "\"}");
        var item = new JournaledEvent
        {
            OrganizationNo = organization.No,
            Id = default,
            PayloadHash = XxHash3.HashToUInt64(payload),
            Type = "t"u8.ToArray(),
            DedupId = Encoding.UTF8.GetBytes(dedupId),
            OrderingKey = default,
            Payload = payload,
        };
        var key = dedupId.Length == 0 ? default : DedupKey.Of(item.DedupId.Span, organization.No, Directory.DedupSecret);
        var submission = Submission.Rent(organization, item, key, storeAskedAt);
        Shard.Submit(submission);
        return TakeAsync(submission, submission.WaitAsync());
    }

    /// <summary>Waits until the store has everything up to there.</summary>
    public async Task StoredAsync(EventId id) =>
        Assert.True(
            await Shard.Writer.Stored.WaitAsync(id.High, Patience, TimeProvider.System, default), string.Join(' ', Shard.Troubles()));

    /// <summary>Advances a clock until the condition holds, so that every timer that is set meanwhile fires.</summary>
    public static void AdvanceUntil(FakeTimeProvider time, TimeSpan step, Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                if (condition()) return true;
                time.Advance(step);
                return false;
            },
            Patience));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Shard.DisposeAsync();
        Directory.Dispose();
    }

    private static async Task<Receipt> TakeAsync(Submission submission, ValueTask<Receipt> receipt)
    {
        var result = await receipt;
        submission.Return();
        return result;
    }
}
