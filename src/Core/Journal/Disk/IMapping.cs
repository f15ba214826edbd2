namespace ZapierTriggers.Core.Journal.Disk;

/// <summary>A file's bytes in memory, until disposed.</summary>
internal unsafe interface IMapping : IDisposable
{
    /// <summary>Where the file's first byte is.</summary>
    byte* Address { get; }

    /// <summary>Keeps its pages in memory from their first use on, where the system allows.</summary>
    void LockWhenUsed();
}
