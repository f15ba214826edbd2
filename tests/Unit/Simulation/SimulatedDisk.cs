using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>The device as one process uses it: every change is a step at which the process may die or the device may fail.</summary>
internal sealed class SimulatedDisk(Life life, Device device) : IDisk
{
    /// <inheritdoc/>
    public bool Exists(string path) => device.Names.ContainsKey(path);

    /// <inheritdoc/>
    public IEnumerable<string> List(string directory, string ending) =>
        device.Names.Keys.Where(
            path => path.StartsWith(directory, StringComparison.Ordinal) && path.EndsWith(ending, StringComparison.Ordinal)).ToList();

    /// <inheritdoc/>
    public IDiskFile Create(string path)
    {
        if (Exists(path)) throw new IOException($"{path} exists.");
        life.FailMaybe(FaultKind.Create);
        Inode? inode = null;
        life.Effect("create", path, () => inode = device.Create(path));
        return new SimulatedFile(life, device, inode!, path);
    }

    /// <inheritdoc/>
    public IDiskFile Open(string path) =>
        device.Names.TryGetValue(path, out var inode)
            ? new SimulatedFile(life, device, inode, path)
            : throw new FileNotFoundException(path);

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (Exists(path)) life.Effect("delete", path, () => device.Change(names => names.Remove(path)));
    }

    /// <inheritdoc/>
    public void Move(string from, string to)
    {
        if (!Exists(from)) throw new FileNotFoundException(from);
        life.FailMaybe(FaultKind.Move);
        life.Effect("move to", to, () => device.Change(names =>
        {
            if (names.Remove(from, out var inode)) names[to] = inode;
        }));
    }

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        life.FailMaybe(FaultKind.Sync);
        life.Effect("sync", path, device.SyncNames);
    }
}
