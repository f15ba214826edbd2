using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>
/// A file system of a test's own, to be filled, failed or cut off from power: ext4 in a loop-mounted image, or tmpfs. Needs root; where
/// mounting is not allowed the test is skipped with the reason. Unmounted and deleted when disposed.
/// </summary>
internal sealed partial class Volume : IDisposable
{
    private const int ReadOnly = 0x80000; // O_RDONLY | O_CLOEXEC
    private const uint Shutdown = 0x8004587D; // FS_IOC_SHUTDOWN
    private const uint NoLogFlush = 2; // nothing more reaches the disk, not even the file system's own log

    private readonly DirectoryInfo _folder;
    private readonly string? _image;

    private Volume(string? image, DirectoryInfo folder)
    {
        (_image, _folder) = (image, folder);
        Path = Directory.CreateDirectory(System.IO.Path.Combine(folder.FullName, "mount")).FullName;
    }

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    private string Filler => System.IO.Path.Combine(Path, "filler");

    /// <summary>An ext4 file system that turns read-only at an error of its device.</summary>
    public static Volume Ext4(int mebibytes)
    {
        var folder = Directory.CreateTempSubdirectory("zap-volume-");
        var volume = new Volume(System.IO.Path.Combine(folder.FullName, "image"), folder);
        volume.OrSkip(() =>
        {
            Tool.Run("truncate", "-s", $"{mebibytes}M", volume._image!);
            Tool.Run("mkfs.ext4", "-q", "-F", volume._image!);
            volume.Mount();
        });
        return volume;
    }

    /// <summary>A tmpfs of that size.</summary>
    public static Volume Memory(int kibibytes)
    {
        var volume = new Volume(image: null, Directory.CreateTempSubdirectory("zap-volume-"));
        volume.OrSkip(() => Tool.Run("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k", "tmpfs", volume.Path));
        return volume;
    }

    /// <summary>Lets another user in, and makes the file system's root that user's.</summary>
    public void GiveTo(string user)
    {
        Tool.Run("chmod", "755", _folder.FullName);
        Tool.Run("chown", user, Path);
    }

    /// <summary>Fills it up but for so much.</summary>
    public void Fill(int kibibytesLeft)
    {
        var bytes = new DriveInfo(Path).AvailableFreeSpace - (kibibytesLeft * 1024L);
        Tool.Run("fallocate", "-l", bytes.ToString(CultureInfo.InvariantCulture), Filler);
    }

    /// <summary>Gives back what <see cref="Fill"/> took.</summary>
    public void MakeRoom() => File.Delete(Filler);

    /// <summary>
    /// What the page cache holds and the disk does not is lost from now on, as at a power cut: an ext4 refuses all reads and writes and
    /// forgets its log. <see cref="Remount"/> shows what was on the disk.
    /// </summary>
    public void CutPower()
    {
        using var root = new SafeFileHandle(open(Path, ReadOnly), ownsHandle: true);
        if (root.IsInvalid || ioctl(root, Shutdown, NoLogFlush) != 0)
            throw new IOException($"FS_IOC_SHUTDOWN failed: {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>An error of the device: an ext4 turns read-only.</summary>
    public void FailDevice()
    {
        var device = Tool.Run("findmnt", "-n", "-o", "SOURCE", Path).Trim();
        File.WriteAllText($"/sys/fs/ext4/{System.IO.Path.GetFileName(device)}/trigger_fs_error", "1");
    }

    /// <summary>Unmounts and mounts, which replays the file system's log. No process may use it.</summary>
    public void Remount()
    {
        Tool.Run("umount", Path);
        Mount();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Tool.Try("umount", Path).ExitCode != 0) Tool.Try("umount", "-l", Path);
        _folder.Delete(recursive: true);
    }

    private void Mount() => Tool.Run("mount", "-o", "loop,errors=remount-ro", _image!, Path);

    private void OrSkip(Action mount)
    {
        try
        {
            mount();
        }
        catch (InvalidOperationException error)
        {
            _folder.Delete(recursive: true);
            Assert.Skip($"No file system of its own can be mounted here (root is needed): {error.Message}");
        }
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ioctl(SafeFileHandle file, nuint request, in uint argument);
}
