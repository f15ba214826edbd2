namespace ZapierTriggers.Core.Journal.Disk;

/// <summary>
/// The file calls that the journal's promises stand on, each an effect that a crash can come before, after or in the middle of. The real
/// one is <see cref="SystemDisk"/>; a simulated one keeps apart what a process crash leaves and what a power cut leaves. Paths are
/// absolute. All throw <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> with the system's words.
/// </summary>
internal interface IDisk
{
    /// <summary>Whether a file has that name.</summary>
    bool Exists(string path);

    /// <summary>The files of a directory whose names end so, in any order.</summary>
    IEnumerable<string> List(string directory, string ending);

    /// <summary>Makes an empty file under a name that must be free. The name is durable after <see cref="SyncDirectory"/>.</summary>
    IDiskFile Create(string path);

    /// <summary>Opens a file that is there, for reading and writing.</summary>
    IDiskFile Open(string path);

    /// <summary>Frees the name; nothing happens when it is free already. Whoever has the file open keeps it.</summary>
    void Delete(string path);

    /// <summary>Gives the file another name, in place of whatever has that name. Durable after <see cref="SyncDirectory"/>.</summary>
    void Move(string from, string to);

    /// <summary>Makes created, renamed and deleted names in the directory durable.</summary>
    void SyncDirectory(string path);
}
