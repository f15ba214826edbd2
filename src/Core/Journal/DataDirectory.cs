using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// The directory that one server owns: its lock, its identity and its secrets. Held until disposed.
/// <code>
/// lock       held by flock while a server runs
/// holder     who holds it: process id and start time (a file of its own, because .NET cannot read one that is locked)
/// identity   64 bytes, made at the first start: magic, version, journal id (16), frame secret (8), dedup secret (8), checksum
/// journal/   ring and segments
/// </code>
/// </summary>
internal sealed class DataDirectory : IDisposable
{
    private const ulong Magic = 0x3144495450415A; // "ZAPTID1"
    private const uint Version = 1;
    private const int IdentityLength = 64;

    private readonly IDisposable _lock;

    /// <summary>
    /// A directory that is held already. <see cref="Open"/> is the way to one of the operating system's; a simulated disk has neither a
    /// lock nor a file for the identity.
    /// </summary>
    /// <param name="disk">Where its files are.</param>
    /// <param name="path">Absolute path.</param>
    /// <param name="lock">Disposed with it.</param>
    /// <param name="identity">As drawn above, checked.</param>
    public DataDirectory(IDisk disk, string path, IDisposable @lock, ReadOnlySpan<byte> identity)
    {
        (Disk, Path, _lock) = (disk, path, @lock);
        JournalId = new Guid(identity.Slice(16, 16), bigEndian: true);
        FrameSecret = BinaryPrimitives.ReadUInt64LittleEndian(identity[32..]);
        DedupSecret = BinaryPrimitives.ReadUInt64LittleEndian(identity[40..]);
    }

    /// <summary>The file calls behind it.</summary>
    public IDisk Disk { get; }

    /// <summary>Absolute path.</summary>
    public string Path { get; }

    /// <summary>Where ring and segments are.</summary>
    public string JournalPath => System.IO.Path.Combine(Path, "journal");

    /// <summary>Tells this directory's journal from any other's.</summary>
    public Guid JournalId { get; }

    /// <summary>Seeds the frames' checksums, so that no payload can pose as a frame.</summary>
    public ulong FrameSecret { get; }

    /// <summary>Seeds the dedup hashes, so that nobody outside can make two ids collide.</summary>
    public ulong DedupSecret { get; }

    /// <summary>
    /// Creates or opens the directory and locks it. Throws <see cref="JournalException"/> when another process holds it, or it cannot be
    /// written.
    /// </summary>
    public static DataDirectory Open(string path, TimeProvider time)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        try
        {
            var isNew = !Directory.Exists(full);
            Directory.CreateDirectory(System.IO.Path.Combine(full, "journal"));
            if (isNew && System.IO.Path.GetDirectoryName(full) is { } parent) DurableFile.SyncDirectory(parent);
            var held = Lock(full);
            try
            {
                File.WriteAllText(
                    HolderPath(full),
                    string.Create(
                        CultureInfo.InvariantCulture, $"process {Environment.ProcessId}, started {time.GetUtcNow():yyyy-MM-dd HH:mm:ss}Z"));
                return new DataDirectory(SystemDisk.Instance, full, held, ReadOrCreateIdentity(full));
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new JournalException(
                $"The data directory {full} cannot be written ({error.Message}). Give this user the right to write there, or set "
                + "Storage:DataDirectory to another place.",
                error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static FileStream Lock(string directory)
    {
        var path = System.IO.Path.Combine(directory, "lock");
        try
        {
            // On Unix FileShare.None is flock(LOCK_EX | LOCK_NB): freed by the system when the process ends, however it ends.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new JournalException(
                $"The data directory {directory} is in use by {HolderOf(directory)}. Stop that server, or set "
                + "Storage:DataDirectory to another place.");
        }
    }

    private static string HolderPath(string directory) => System.IO.Path.Combine(directory, "holder");

    private static string HolderOf(string directory)
    {
        try
        {
            return File.ReadAllText(HolderPath(directory)) is { Length: > 0 } text ? text : "another process";
        }
        catch (IOException)
        {
            return "another process"; // it has just started and not said yet who it is
        }
    }

    private static byte[] ReadOrCreateIdentity(string directory)
    {
        var path = System.IO.Path.Combine(directory, "identity");
        if (!File.Exists(path))
        {
            RefuseJournalWithoutIdentity(directory, path);
            Write(path, NewIdentity());
            DurableFile.SyncDirectory(directory);
        }

        var identity = File.ReadAllBytes(path);
        if (identity.Length == IdentityLength && BinaryPrimitives.ReadUInt64LittleEndian(identity) == Magic)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(identity.AsSpan(8)) > Version)
            {
                throw new JournalException(
                    $"{path} was made by a newer version of this server. Start that version, or set "
                    + "Storage:DataDirectory to another place.");
            }

            var checksum = BinaryPrimitives.ReadUInt64LittleEndian(identity.AsSpan(56));
            if (checksum == XxHash3.HashToUInt64(identity.AsSpan(0, 56))) return identity;
        }

        throw new JournalException(
            $"{path} is damaged, and without it the journal cannot be read. Restore it from a backup of this directory, or move the whole "
            + "directory away to start empty.");
    }

    private static void RefuseJournalWithoutIdentity(string directory, string path)
    {
        var journal = System.IO.Path.Combine(directory, "journal");
        var hasRing = File.Exists(System.IO.Path.Combine(journal, Ring.FileName));
        if (!hasRing && !Directory.EnumerateFiles(journal, "*" + Segment.Extension).Any()) return;
        throw new JournalException(
            $"{path} is missing, and without it the journal beside it cannot be read. Restore it from a backup, or move "
            + $"{journal} away to start empty.");
    }

    private static byte[] NewIdentity()
    {
        var identity = new byte[IdentityLength];
        BinaryPrimitives.WriteUInt64LittleEndian(identity, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(identity.AsSpan(8), Version);
        RandomNumberGenerator.Fill(identity.AsSpan(16, 32));
        BinaryPrimitives.WriteUInt64LittleEndian(identity.AsSpan(56), XxHash3.HashToUInt64(identity.AsSpan(0, 56)));
        return identity;
    }

    private static void Write(string path, byte[] bytes)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };

        // Secrets, from the first byte on.
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(temporary, options))
        {
            file.Write(bytes);
            DurableFile.SyncData(file.SafeFileHandle);
        }

        DurableFile.Rename(temporary, path);
    }
}
