namespace ZapierTriggers.Core.Journal.Disk;

/// <summary>The operating system's files.</summary>
internal sealed class SystemDisk : IDisk
{
    private SystemDisk()
    {
    }

    /// <summary>The one.</summary>
    public static SystemDisk Instance { get; } = new();

    /// <inheritdoc/>
    public bool Exists(string path) => File.Exists(path);

    /// <inheritdoc/>
    public IEnumerable<string> List(string directory, string ending) => Directory.EnumerateFiles(directory, "*" + ending);

    /// <inheritdoc/>
    public IDiskFile Create(string path) => new SystemFile(path, FileMode.CreateNew);

    /// <inheritdoc/>
    public IDiskFile Open(string path) => new SystemFile(path, FileMode.Open);

    /// <inheritdoc/>
    public void Delete(string path) => File.Delete(path);

    /// <inheritdoc/>
    public void Move(string from, string to) => DurableFile.Rename(from, to);

    /// <inheritdoc/>
    public void SyncDirectory(string path) => DurableFile.SyncDirectory(path);
}
