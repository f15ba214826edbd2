namespace ZapierTriggers.Core.Journal;

/// <summary>Whole frames in one piece of the ring.</summary>
/// <param name="Address">Where they start.</param>
/// <param name="Length">Their bytes; 0 = there are none.</param>
/// <param name="Count">How many.</param>
/// <param name="LastSequence">Sequence of the last.</param>
/// <param name="LastPosition">High word of the id of the last.</param>
internal readonly record struct RingRun(nint Address, int Length, int Count, long LastSequence, ulong LastPosition);
