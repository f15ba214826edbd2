namespace ZapierTriggers.Core.Operations;

/// <summary>Whether events can be taken now, as <c>/health/ready</c> tells it.</summary>
/// <param name="Ready">True = 200, false = 503.</param>
/// <param name="Database">The store in one word: <c>connected</c>, <c>disconnected</c>, <c>read_only</c>, <c>starting</c>.</param>
/// <param name="Reasons">
/// Why not ready, most important first; a ready server may list what it is worried about (a gap in the journal).
/// </param>
internal sealed record ReadyState(bool Ready, string Database, IReadOnlyList<string> Reasons)
{
    /// <summary>Everything works.</summary>
    public static readonly ReadyState Healthy = new(true, "connected", []);

    /// <summary>Not ready for one reason.</summary>
    public static ReadyState NotReady(string database, string reason) => new(false, database, [reason]);
}
