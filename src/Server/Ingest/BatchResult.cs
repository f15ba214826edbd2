using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Ingest;

/// <summary>What became of an item: refused before it was an event, or taken into the batch, whose receipt says the rest.</summary>
/// <param name="Index">Its place in the batch; meaningless when it was refused.</param>
/// <param name="Problem">Why it was refused; null when it was not.</param>
/// <param name="Detail">The same in words.</param>
/// <param name="Field">The field that is to blame, if one is.</param>
internal readonly record struct BatchResult(int Index, Problem? Problem, string? Detail, string? Field)
{
    /// <summary>One that is in the batch.</summary>
    public static BatchResult Taken(int index) => new(index, null, null, null);

    /// <summary>One that is not.</summary>
    public static BatchResult Refused(Problem problem, string detail, string? field = null) => new(-1, problem, detail, field);
}
