namespace ZapierTriggers.Core.Journal;

/// <summary>Whether the journal takes events.</summary>
internal enum JournalState
{
    /// <summary>It works.</summary>
    Running = 0,

    /// <summary>The next segment cannot be reserved; tried again every second.</summary>
    DiskFull = 1,

    /// <summary>A write or flush failed: nothing is acknowledged any more in this process.</summary>
    Poisoned = 2,
}
