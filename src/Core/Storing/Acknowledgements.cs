namespace ZapierTriggers.Core.Storing;

/// <summary>What an acknowledgement has come to.</summary>
/// <param name="Times">
/// For each id in input order when it was acknowledged (the first time stays), or null where the organization has no such event.
/// </param>
/// <param name="New">How many are acknowledged by this call and were not before; of calls at one time each event counts in one.</param>
internal readonly record struct Acknowledgements(IReadOnlyList<DateTimeOffset?> Times, int New);
