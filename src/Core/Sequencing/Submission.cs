using System.Threading.Tasks.Sources;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// One event, or a batch, on its way from the request to its receipt; reused by the thread that rents it. The memories point into the
/// request's own buffer, which must stay untouched until the receipt is there. A receipt that is there when <see cref="WaitAsync"/> is
/// called costs no suspension; later ones complete on the pool.
/// </summary>
internal sealed class Submission : IValueTaskSource<Receipt>
{
    [ThreadStatic]
    private static Submission? _free;

    private ManualResetValueTaskSourceCore<Receipt> _source = new() { RunContinuationsAsynchronously = true };
    private Receipt _decided;

    private Submission()
    {
    }

    /// <summary>Who sends it.</summary>
    public Organization Organization { get; private set; } = null!;

    /// <summary>The event, without an id.</summary>
    public JournaledEvent Event { get; private set; }

    /// <summary>The events, when there are several: then <see cref="Event"/> means nothing.</summary>
    public EventBatch? Batch { get; private set; }

    /// <summary>Something else to do between two events: then nothing else here means anything.</summary>
    public Action? Errand { get; private set; }

    /// <summary>Bytes of payload.</summary>
    public long PayloadBytes => Batch?.PayloadBytes ?? Event.Payload.Length;

    /// <summary>Hash of the dedup id; only meaningful when <see cref="JournaledEvent.DedupId"/> is not empty.</summary>
    public DedupKey DedupKey { get; private set; }

    /// <summary>The dedup window's eviction version at which the store was asked and had no such id; −1 = it was not asked.</summary>
    public long StoreAskedAt { get; private set; }

    /// <summary>A submission to use once; give it back with <see cref="Return"/> after its receipt.</summary>
    public static Submission Rent(Organization organization, in JournaledEvent item, DedupKey dedupKey, long storeAskedAt)
    {
        var submission = _free ?? new Submission();
        _free = null;
        submission.Organization = organization;
        submission.Event = item;
        submission.DedupKey = dedupKey;
        submission.StoreAskedAt = storeAskedAt;
        return submission;
    }

    /// <summary>
    /// The same for a batch. Its receipt says whether it was decided (<see cref="ReceiptKind.Accepted"/>); each item has its own.
    /// </summary>
    public static Submission Rent(Organization organization, EventBatch batch, long storeAskedAt)
    {
        var submission = Rent(organization, default, default, storeAskedAt);
        submission.Batch = batch;
        return submission;
    }

    /// <summary>An errand of the sequencer's; its receipt says that it is done.</summary>
    public static Submission Rent(Action errand)
    {
        var submission = Rent(null!, default, default, -1);
        submission.Errand = errand;
        return submission;
    }

    /// <summary>Makes it available again to this thread. Only after its receipt was taken.</summary>
    public void Return()
    {
        Event = default;
        Batch = null;
        Errand = null;
        _source.Reset();
        _free = this;
    }

    /// <summary>The receipt.</summary>
    public ValueTask<Receipt> WaitAsync() => new(this, _source.Version);

    /// <summary>Gives the receipt.</summary>
    public void Complete(Receipt receipt) => _source.SetResult(receipt);

    /// <summary>
    /// Gives the receipt unless there is one: for a fault of which it is not known where it struck. Only before anybody else can complete
    /// it.
    /// </summary>
    public void TryComplete(Receipt receipt)
    {
        if (_source.GetStatus(_source.Version) == ValueTaskSourceStatus.Pending) Complete(receipt);
    }

    /// <summary>Notes the receipt to give when the event is durable enough.</summary>
    public void Decide(Receipt receipt) => _decided = receipt;

    /// <summary>Gives the receipt that was noted.</summary>
    public void CompleteDecided() => _source.SetResult(_decided);

    Receipt IValueTaskSource<Receipt>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<Receipt>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<Receipt>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
