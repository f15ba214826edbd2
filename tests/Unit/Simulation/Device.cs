namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>
/// The simulated machine's disk: names and files, each as the process sees them and as a power cut would leave them. It outlives processes.
/// </summary>
internal sealed class Device(Random random) : IDisposable
{
    private readonly List<Inode> _inodes = [];
    private readonly List<Action<Dictionary<string, Inode>>> _unsynced = [];
    private readonly Dictionary<string, Inode> _durableNames = [];

    /// <summary>The names as the process sees them.</summary>
    public Dictionary<string, Inode> Names { get; private set; } = [];

    /// <summary>Whether there is no room for new blocks at the moment.</summary>
    public bool IsFull { get; set; }

    /// <summary>An empty file under a new name.</summary>
    public Inode Create(string path)
    {
        var inode = new Inode(random);
        _inodes.Add(inode);
        Change(names => names[path] = inode);
        return inode;
    }

    /// <summary>Creates, renames or deletes; durable after <see cref="SyncNames"/>.</summary>
    public void Change(Action<Dictionary<string, Inode>> change)
    {
        change(Names);
        _unsynced.Add(change);
    }

    /// <summary>Makes all names durable.</summary>
    public void SyncNames()
    {
        foreach (var change in _unsynced) change(_durableNames);
        _unsynced.Clear();
    }

    /// <summary>The system writes back what it likes.</summary>
    public void WriteBack()
    {
        foreach (var inode in Names.Values.Where(_ => random.Next(2) == 0)) inode.WriteBack();
    }

    /// <summary>The power is cut and comes back. Of the changes of names since the last flush any subset happened, in order.</summary>
    public void CutPower()
    {
        var percentLost = random.Next(4) switch { 0 => 0, 1 => 100, _ => random.Next(101) };
        var isOrdered = random.Next(2) == 0;
        foreach (var change in _unsynced)
        {
            var isLost = random.Next(100) < percentLost;
            if (isLost && isOrdered) break;
            if (!isLost) change(_durableNames);
        }

        _unsynced.Clear();
        Names = new Dictionary<string, Inode>(_durableNames);
        foreach (var inode in Names.Values) inode.CutPower(percentLost);
    }

    public void Dispose()
    {
        foreach (var inode in _inodes) inode.Dispose();
    }
}
