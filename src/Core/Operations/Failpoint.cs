using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ZapierTriggers.Core.Operations;

/// <summary>
/// Named places where the death of the process could matter. The crash tests die at each of them and hold afterwards what was answered
/// against what is there. <c>ZAP_FAILPOINT=name[:n[:action]]</c> in the environment arms one: at the n-th pass (default 1) the process gets
/// SIGKILL (<c>kill</c>, the default) or SIGSTOP (<c>stop</c>: SIGCONT lets it go on). It is no setting: no file or argument can turn it
/// on. Unarmed it costs nothing: the JIT sees a read-only null and leaves the call out.
/// </summary>
internal static partial class Failpoint
{
    /// <summary>Sequencer: the id is issued, nothing is kept.</summary>
    public const string SequencerIssued = "sequencer-issued";

    /// <summary>Sequencer: the frame is in the ring; the dedup window does not know it.</summary>
    public const string SequencerAppended = "sequencer-appended";

    /// <summary>Sequencer: the dedup window knows the event; its organization's position does not.</summary>
    public const string SequencerPublished = "sequencer-published";

    /// <summary>Sequencer: all is noted; the receipt is not given.</summary>
    public const string SequencerNoted = "sequencer-noted";

    /// <summary>Journal writer: frames wait in the ring, nothing is written.</summary>
    public const string JournalWriting = "journal-writing";

    /// <summary>Journal writer: frames are written to the segment, not flushed.</summary>
    public const string JournalWritten = "journal-written";

    /// <summary>Journal writer: fdatasync has returned; the ring's mark stands before the frames.</summary>
    public const string JournalFlushed = "journal-flushed";

    /// <summary>Journal writer: the ring's mark has moved; nobody who waits has been told.</summary>
    public const string JournalMarked = "journal-marked";

    /// <summary>A new segment: its blocks are reserved, it has no header and no name.</summary>
    public const string SegmentReserved = "segment-reserved";

    /// <summary>A new segment: its header is flushed, it has no name.</summary>
    public const string SegmentHeaded = "segment-headed";

    /// <summary>A new segment: it has its name, the directory is not flushed.</summary>
    public const string SegmentNamed = "segment-named";

    /// <summary>A new segment: the directory is flushed, no frame is in it.</summary>
    public const string SegmentMade = "segment-made";

    /// <summary>Trim: a stored segment is deleted.</summary>
    public const string SegmentDeleted = "segment-deleted";

    /// <summary>Recovery: all is read, nothing is moved.</summary>
    public const string RecoveryScanned = "recovery-scanned";

    /// <summary>Recovery: the unflushed tail is in a segment of its own, not flushed.</summary>
    public const string RecoveryTailWritten = "recovery-tail-written";

    /// <summary>Recovery: the tail's segment is flushed; the old ring still claims the tail.</summary>
    public const string RecoveryTailFlushed = "recovery-tail-flushed";

    /// <summary>Recovery: the old ring is released, not replaced.</summary>
    public const string RecoveryReleased = "recovery-released";

    /// <summary>Recovery: the new ring is made, under a temporary name.</summary>
    public const string RingMade = "ring-made";

    /// <summary>Recovery: the new ring has its name, the directory is not flushed.</summary>
    public const string RingNamed = "ring-named";

    /// <summary>Store writer: a batch is read, no transaction is open.</summary>
    public const string StoreAppending = "store-appending";

    /// <summary>Store: rows and checkpoint are written, not committed.</summary>
    public const string StoreCommitting = "store-committing";

    /// <summary>Store writer: the batch is committed; the watermark has not moved.</summary>
    public const string StoreCommitted = "store-committed";

    /// <summary>Store writer: the watermark has moved; delivery has not been told.</summary>
    public const string StoreAdvanced = "store-advanced";

    /// <summary>Store writer: the batch is done, the journal is not trimmed.</summary>
    public const string StoreTrimming = "store-trimming";

    /// <summary>Store writer: a refused row is in quarantine, its checkpoint is committed; the writer has not gone on.</summary>
    public const string StoreQuarantined = "store-quarantined";

    /// <summary>Delivery: due retries are claimed, none is handed over.</summary>
    public const string DeliveryClaimed = "delivery-claimed";

    /// <summary>Delivery: a try starts, nothing is sent.</summary>
    public const string DeliverySending = "delivery-sending";

    /// <summary>Delivery: the receiver has answered, nobody has noted it.</summary>
    public const string DeliverySent = "delivery-sent";

    /// <summary>Delivery: results are about to be recorded.</summary>
    public const string DeliveryRecording = "delivery-recording";

    /// <summary>Delivery: results are committed, their lanes have not been told.</summary>
    public const string DeliveryRecorded = "delivery-recorded";

    /// <summary>Requests: acknowledgements are committed, not answered.</summary>
    public const string AckCommitted = "ack-committed";

    /// <summary>Requests: an organization is committed, not answered.</summary>
    public const string OrganizationCommitted = "organization-committed";

    /// <summary>Requests: a key's successor is committed, not answered.</summary>
    public const string KeyCommitted = "key-committed";

    /// <summary>Requests: a webhook endpoint is committed, not answered.</summary>
    public const string EndpointCommitted = "endpoint-committed";

    /// <summary>Requests: a replay is committed, neither the dispatcher told nor the request answered.</summary>
    public const string ReplayCommitted = "replay-committed";

    /// <summary>Replays of many deliveries: a chunk is queued and the job's cursor moved, the dispatcher has not been told.</summary>
    public const string ReplayChunkQueued = "replay-chunk-queued";

    /// <summary>Erasure: its events are forgotten in memory, nothing is removed.</summary>
    public const string ErasureSelected = "erasure-selected";

    /// <summary>Erasure, store: rows are removed, not committed.</summary>
    public const string ErasureRemoving = "erasure-removing";

    /// <summary>Erasure: the store is rid of the events, the journal has them.</summary>
    public const string ErasureRemoved = "erasure-removed";

    /// <summary>Erasure, journal: a segment is written anew, not flushed.</summary>
    public const string ErasureWritten = "erasure-written";

    /// <summary>Erasure, journal: the new segment is flushed, it has not the old one's name.</summary>
    public const string ErasureFlushed = "erasure-flushed";

    /// <summary>Erasure, journal: it has the name, the directory is not flushed.</summary>
    public const string ErasureNamed = "erasure-named";

    /// <summary>Erasure: the journal is rid of the events, which is not noted.</summary>
    public const string ErasureJournaled = "erasure-journaled";

    /// <summary>Erasure: that is noted, it is not finished.</summary>
    public const string ErasureNoted = "erasure-noted";

    /// <summary>Erasure: it is finished, nobody has been told.</summary>
    public const string ErasureFinished = "erasure-finished";

    /// <summary>Stop: requests have ended, the shard runs.</summary>
    public const string StopRequestsEnded = "stop-requests-ended";

    /// <summary>Stop: the sequencer has ended, the rest is not flushed for sure.</summary>
    public const string StopSequencerEnded = "stop-sequencer-ended";

    /// <summary>Stop: all that can be stored is stored.</summary>
    public const string StopStored = "stop-stored";

    /// <summary>Stop: webhook results are recorded.</summary>
    public const string StopRecorded = "stop-recorded";

    /// <summary>Stop: the journal is closed, the database is open.</summary>
    public const string StopJournalClosed = "stop-journal-closed";

    /// <summary>Stop: all is closed but the data directory's lock.</summary>
    public const string StopClosed = "stop-closed";

    private const string Variable = "ZAP_FAILPOINT";
    private const int SigKill = 9;
    private const int SigStop = 19; // on Linux

    private static readonly ArmedPoint? Armed = Parse(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Those of an erasure, which has a scene of its own.</summary>
    public static readonly IReadOnlyList<string> OfErasure =
    [
        ErasureSelected, ErasureRemoving, ErasureRemoved, ErasureWritten, ErasureFlushed, ErasureNamed, ErasureJournaled, ErasureNoted,
        ErasureFinished,
    ];

    /// <summary>All others.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        SequencerIssued, SequencerAppended, SequencerPublished, SequencerNoted,
        JournalWriting, JournalWritten, JournalFlushed, JournalMarked,
        SegmentReserved, SegmentHeaded, SegmentNamed, SegmentMade, SegmentDeleted,
        RecoveryScanned, RecoveryTailWritten, RecoveryTailFlushed, RecoveryReleased, RingMade, RingNamed,
        StoreAppending, StoreCommitting, StoreCommitted, StoreAdvanced, StoreTrimming, StoreQuarantined,
        DeliveryClaimed, DeliverySending, DeliverySent, DeliveryRecording, DeliveryRecorded,
        AckCommitted, OrganizationCommitted, KeyCommitted, EndpointCommitted, ReplayCommitted, ReplayChunkQueued,
        StopRequestsEnded, StopSequencerEnded, StopStored, StopRecorded, StopJournalClosed, StopClosed,
    ];

    /// <summary>The process passes this point: where it is armed, this may be its last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pass(string name)
    {
        if (Armed is not null) Armed.Pass(name);
    }

    private static ArmedPoint? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var parts = text.Split(':');
        var at = parts.Length > 1 ? long.Parse(parts[1], CultureInfo.InvariantCulture) : 1;
        return new ArmedPoint(parts[0], at, parts is [_, _, "stop"] ? SigStop : SigKill);
    }

    private sealed class ArmedPoint(string name, long at, int signal)
    {
        private long _passes;

        public void Pass(string passed)
        {
            // raise, not kill: the signal is this thread's, so nothing behind the point is executed.
            if (string.Equals(passed, name, StringComparison.Ordinal) && Interlocked.Increment(ref _passes) == at) _ = raise(signal);
        }
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int raise(int signal);
}
