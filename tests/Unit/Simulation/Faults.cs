namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>What can go wrong without anybody dying.</summary>
internal enum FaultKind
{
    /// <summary>A file cannot be made.</summary>
    Create,

    /// <summary>A file cannot be renamed.</summary>
    Move,

    /// <summary>A write fails, some of it done.</summary>
    Write,

    /// <summary>A flush fails, some of it done.</summary>
    Sync,

    /// <summary>The store cannot be reached; nothing has happened.</summary>
    StoreAway,

    /// <summary>The store has committed, and the answer is lost.</summary>
    ReplyLost,
}
