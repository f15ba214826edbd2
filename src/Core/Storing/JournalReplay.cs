using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// Compares what the journal of a stopped server still holds with what the store has, and stores what is missing, in order and once, after
/// <c>storedLate</c> has been told of the first: lanes may have passed it. Rows and checkpoint commit together, and each piece is compared
/// again before it is stored, so an interrupted run is simply run again.
/// </summary>
internal sealed class JournalReplay(
    RetainedJournal journal, Guid journalId, IEventStore store, IReplayStore replays, Func<EventId, CancellationToken, Task> storedLate)
{
    private const int Shard = 0;

    private readonly JournalBatch _batch = new();

    /// <summary>Compares only.</summary>
    public async Task<ReplayReport> CompareAsync(CancellationToken cancellationToken)
    {
        var checkpoint = await store.ReadCheckpointAsync(Shard, journalId, cancellationToken);
        return await RunAsync(new ReplayReport { Checkpoint = checkpoint }, claim: null, cancellationToken);
    }

    /// <summary>
    /// Compares, stores what is missing and moves the checkpoint to the end of what the segments hold. Behind a gap that the checkpoint has
    /// not passed nothing is stored: the next start refuses such a gap or is told to accept it.
    /// </summary>
    public async Task<ReplayReport> StoreAsync(CancellationToken cancellationToken)
    {
        var checkpoint = await store.ReadCheckpointAsync(Shard, journalId, cancellationToken);
        var claim = await store.ClaimShardAsync(Shard, journalId, checkpoint, cancellationToken) ?? throw new StoreException(
            StoreFailure.Fault, "The checkpoint moves: a server works with a copy of this data directory. Stop it, and look again which copy is to go on.");
        return await RunAsync(new ReplayReport { Checkpoint = claim.StoredThrough }, claim, cancellationToken);
    }

    private async Task<ReplayReport> RunAsync(ReplayReport report, ShardClaim? claim, CancellationToken cancellationToken)
    {
        report.MovedTo = report.Checkpoint;
        report.HasGap = journal.Before > report.Checkpoint.Sequence;
        foreach (var piece in journal.Read(_batch))
        {
            var end = piece.Batch.End;
            report.HasGap |= piece.IsBehindGap && end.Id > report.Checkpoint.Id;
            var missing = await MissingAsync(report, piece, mayNote: claim is not null, cancellationToken);
            if (claim is not { } held || (report.HasGap && end.Id > report.Checkpoint.Id)) continue;
            var next = end.Id > report.MovedTo.Id ? end : report.MovedTo;
            if (missing.Length == 0 && next == report.MovedTo) continue;
            if (report.Stored + report.SetAside == 0 && missing.Length > 0) await storedLate(missing[0].Id, cancellationToken);
            await AppendAsync(held, report, next, missing, cancellationToken);
        }

        return report;
    }

    /// <summary>Those of the piece that the store lacks and may have, noted in the report.</summary>
    private async Task<JournaledEvent[]> MissingAsync(
        ReplayReport report, RetainedPiece piece, bool mayNote, CancellationToken cancellationToken)
    {
        var events = piece.Batch.Events;
        var known = await replays.FindKnownAsync(events, cancellationToken);
        var missing = events.ToArray().Where(item => !known.Contains(item.Id)).ToArray();
        var erased = await store.FindErasedAsync(missing, cancellationToken);
        if (erased.Count > 0)
        {
            if (mayNote) await store.NoteErasedAsync(journalId, erased, cancellationToken);
            var gone = erased.Select(static one => one.Event.Id).ToHashSet();
            missing = [.. missing.Where(item => !gone.Contains(item.Id))];
        }

        report.Note(events.Span, missing, known.Removed.Count + erased.Count, piece.Damaged);
        return missing;
    }

    /// <summary>Stores the rows; those that the store refuses are set aside in its quarantine.</summary>
    private async Task AppendAsync(
        ShardClaim claim, ReplayReport report, Checkpoint next, JournaledEvent[] missing, CancellationToken cancellationToken)
    {
        try
        {
            await store.AppendAsync(claim, report.MovedTo, next, missing, cancellationToken);
            report.Stored += missing.Length;
        }
        catch (StoreException error) when (error.Failure == StoreFailure.RowRefused)
        {
            // One by one, with the checkpoint where it is until all of them are in.
            foreach (var item in missing)
            {
                if (await TryAppendAsync(claim, report.MovedTo, item, cancellationToken)) report.Stored++;
                else report.SetAside++;
            }

            await store.AppendAsync(claim, report.MovedTo, next, default, cancellationToken);
        }

        report.MovedTo = next;
    }

    private async Task<bool> TryAppendAsync(ShardClaim claim, Checkpoint at, JournaledEvent item, CancellationToken cancellationToken)
    {
        try
        {
            await store.AppendAsync(claim, at, at, new[] { item }, cancellationToken);
            return true;
        }
        catch (StoreException error) when (error.Failure == StoreFailure.RowRefused)
        {
            await store.QuarantineAsync(claim, at, at, item, $"{error.Code}: {error.Message}", cancellationToken);
            return false;
        }
    }
}
