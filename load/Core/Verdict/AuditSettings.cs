namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>What an audit tolerates.</summary>
internal sealed record AuditSettings
{
    /// <summary>
    /// Whether an event refused with a 5xx may be stored all the same: under a failing disk a written event whose flush failed is doubtful,
    /// and is answered as not kept. Default: no.
    /// </summary>
    public bool ServerErrorsMayBeStored { get; init; }

    /// <summary>Whether every stored event must have been delivered with a 2xx (default), or only those that were must be right.</summary>
    public bool AllMustBeDelivered { get; init; } = true;
}
