using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZapierTriggers.Core.Journal.Disk;

/// <summary>
/// The few file calls whose every error must be seen. On Linux they are the system's own, because .NET's flush swallows some errors and its
/// SetLength reserves no blocks; elsewhere the framework's calls stand in, which promise less (docs/operations.md says what).
/// All throw <see cref="IOException"/> with the system's words.
/// </summary>
internal static unsafe partial class DurableFile
{
    private const int Eintr = 4;
    private const int ReadOnly = 0x80000;        // O_RDONLY | O_CLOEXEC, the same on every Linux (O_DIRECTORY is not)
    private const int LockOnFault = 1;           // MLOCK_ONFAULT, Linux 4.4+

    /// <summary>
    /// Flushes the file's data to the device (fdatasync). A failed flush is final: the pages may be gone, a second call that succeeds
    /// proves nothing.
    /// </summary>
    public static void SyncData(SafeFileHandle file)
    {
        if (OperatingSystem.IsLinux()) Check(fdatasync(file), "fdatasync");
#pragma warning disable RS0030 // the only place that may
        else RandomAccess.FlushToDisk(file);
#pragma warning restore RS0030
    }

    /// <summary>
    /// Reserves real blocks for the first <paramref name="length"/> bytes, zero where nothing was written. A full disk is an error here,
    /// not a SIGBUS later.
    /// </summary>
    public static void Reserve(SafeFileHandle file, long length)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.SetLength(file, length);
            return;
        }

        int error;
        do
        {
            error = posix_fallocate(file, 0, length);
        }
        while (error == Eintr);
        if (error != 0) throw new IOException($"posix_fallocate failed: {new Win32Exception(error).Message}", error);
    }

    /// <summary>
    /// Gives the file another name, in place of whatever has that name (rename). The framework's move makes a link or even a copy where a
    /// rename fails: whoever has the file open would go on writing to one that has no name any more.
    /// </summary>
    public static void Rename(string from, string to)
    {
        if (OperatingSystem.IsLinux()) Check(rename(from, to), $"rename {from}");
        else File.Move(from, to, overwrite: true);
    }

    /// <summary>Makes created, renamed and deleted names in the directory durable.</summary>
    public static void SyncDirectory(string path)
    {
        if (!OperatingSystem.IsLinux()) return;
        var descriptor = open(path, ReadOnly);
        if (descriptor < 0) throw Failure("open directory " + path);
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Check(fsync(handle), "fsync directory");
    }

    /// <summary>
    /// Keeps the pages of a mapping in memory from their first use on, where the system allows: a page that was taken away would have to be
    /// read back in the middle of an append. Not needed for correctness. Pages come with the first lap, not at the start: an idle server
    /// stays small, and the lap's faults cost a tenth of a microsecond an event.
    /// </summary>
    public static void LockWhenUsed(byte* address, long length)
    {
        if (OperatingSystem.IsLinux()) _ = mlock2(address, (nuint)length, LockOnFault);
    }

    private static void Check(int result, string call)
    {
        if (result != 0) throw Failure(call);
    }

    private static IOException Failure(string call)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} failed: {new Win32Exception(error).Message}", error);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);

    [LibraryImport("libc")]
    private static partial int posix_fallocate(SafeFileHandle file, long offset, long length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc")]
    private static partial int mlock2(byte* address, nuint length, int flags);
}
