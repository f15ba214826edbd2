using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// Gaps in the journal that no operator has acknowledged yet. A gap is acknowledged by the file that also lets a start go on without
/// missing segments (<see cref="Consent"/>); at any time. Safe for concurrent use.
/// </summary>
internal sealed class OpenGaps
{
    private readonly Lock _gate = new();
    private readonly List<string> _files = [];

    /// <summary>Adds the gap that this file would acknowledge.</summary>
    public void Add(string consent)
    {
        lock (_gate) _files.Add(consent);
    }

    /// <summary>How many are open, and the file that acknowledges the first. Looks at the disk while there are any.</summary>
    public (int Count, string? FirstConsent) Read(IDisk disk)
    {
        lock (_gate)
        {
            _files.RemoveAll(disk.Exists);
            return (_files.Count, _files.FirstOrDefault());
        }
    }
}
