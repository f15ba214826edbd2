namespace ZapierTriggers.Core.Journal;

/// <summary>How far the journal was written when a flush began: what that flush makes durable.</summary>
/// <param name="Segment">The segment that ends the written part.</param>
/// <param name="Offset">Where in it.</param>
/// <param name="RingPosition">Where in the ring; grows from target to target.</param>
/// <param name="Sequence">Of the last frame.</param>
/// <param name="Position">Of the last event in its shard's order; 0 = none yet.</param>
internal sealed record FlushTarget(Segment Segment, long Offset, long RingPosition, long Sequence, ulong Position);
