namespace ZapierTriggers.Core.Dedup;

/// <summary>What one process leaves to the next of the dedup ids that were accepted.</summary>
/// <param name="SinceMs">Every id accepted at or after this time (Unix milliseconds) is in one of the filters.</param>
/// <param name="Filters">The filters, the oldest first.</param>
internal sealed record KnownIds(long SinceMs, IReadOnlyList<AgedFilter> Filters);
