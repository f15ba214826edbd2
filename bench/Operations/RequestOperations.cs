using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Bench.Operations;

/// <summary>
/// What a request does beside parsing: key, limit, frame, the way through the sequencer; and what a webhook does before it is sent.
/// </summary>
internal static class RequestOperations
{
    private static readonly byte[] OrderPaid = "order.paid"u8.ToArray();
    private static readonly OrganizationRecord Record = NewAccount.Organization("Bench", Tier.Default, DateTimeOffset.UnixEpoch) with
    {
        RateLimitPerMinute = int.MaxValue - 1,
    };

    /// <summary>The operations.</summary>
    public static IReadOnlyList<Operation> All { get; } =
    [
        new("authenticate-known-key", Authenticate),
        new("rate-take", TakeRate),
        new("write-frame-400-bytes", WriteFrame),
        new("submit-to-receipt", () => Submit(withDedupId: false)),
        new("submit-to-receipt-with-dedup-id", () => Submit(withDedupId: true)),
        new("webhook-body-and-signature", SignWebhook),
    ];

    private static Func<long> Authenticate()
    {
        var directory = new AccountDirectory(TimeProvider.System);
        var (record, text) = NewAccount.Key(Record, live: true, "default", "events:write", DateTimeOffset.UnixEpoch);
        directory.Add(Record, record);
        return () => directory.Authenticate(text)!.Organization.No;
    }

    private static Func<long> TakeRate()
    {
        var clock = new MonotonicClock(TimeProvider.System);
        var window = new RateWindow(int.MaxValue - 1);
        return () => window.TryTake(1, clock.Milliseconds).Remaining;
    }

    private static Func<long> WriteFrame()
    {
        var item = EventOf(Bodies.Usual, default);
        var frame = new byte[Frame.LengthOf(item)];
        var sequence = 0L;
        return () =>
        {
            Frame.Write(frame, item, ++sequence, 42);
            return frame[0];
        };
    }

    /// <summary>The Channel, the sequencer on this thread, the frame in the ring, the receipt.</summary>
    private static Func<long> Submit(bool withDedupId)
    {
        var window = new DedupWindow(new DedupOptions(), 0, static () => ulong.MaxValue, TimeProvider.System);
        var sequencer = new Sequencer(
            new RingJournal(), window, default, new JournalBound(long.MaxValue), new Watermark(), new IngestOptions(), TimeProvider.System,
            NullLogger.Instance);
        sequencer.Start(SystemLoopHost.Instance);
        var organization = new Organization(Record);
        var dedupId = new byte[16];
        var next = 0L;
        return () =>
        {
            BitConverter.TryWriteBytes(dedupId, ++next);
            var item = EventOf(Bodies.Usual, withDedupId ? dedupId : default(ReadOnlyMemory<byte>));
            var submission = Submission.Rent(organization, item, withDedupId ? DedupKey.Of(dedupId, 7, 42) : default, storeAskedAt: -1);
            sequencer.Submit(submission);
            var receipt = submission.WaitAsync();
            var id = receipt.IsCompletedSuccessfully ? receipt.Result.Id : receipt.AsTask().Result.Id;
            submission.Return();
            return (long)id.High;
        };
    }

    private static Func<long> SignWebhook()
    {
        var due = new DueEvent { Id = new EventIdGenerator(default).Next(1_900_000_000_000), Type = "order.paid", Payload = Bodies.Usual };
        var signature = new WebhookSignature(WebhookSecret.Generate());
        var body = new ArrayBufferWriter<byte>(4096);
        return () =>
        {
            body.ResetWrittenCount();
            WebhookBody.Write(body, due);
            return signature.Sign(due.Id, 1_900_000_000, body.WrittenSpan, default, default).Length;
        };
    }

    private static JournaledEvent EventOf(byte[] payload, ReadOnlyMemory<byte> dedupId) => new()
    {
        OrganizationNo = 7,
        Id = default,
        PayloadHash = 42,
        Type = OrderPaid,
        DedupId = dedupId,
        OrderingKey = default,
        Payload = payload,
    };
}
