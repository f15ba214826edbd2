using System.Runtime.InteropServices;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>
/// A directory whose disk can be filled and emptied: a small file system in memory where this user may mount one, else a directory in
/// which the journal's
/// reservations are made to fail.
/// </summary>
internal sealed partial class SmallDisk : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly bool _isMounted;

    public SmallDisk(long bytes) => _isMounted = mount("tmpfs", Path, "tmpfs", 0, $"size={bytes}") == 0;

    /// <summary>Where it is.</summary>
    public string Path => _directory.Path;

    private string Obstacle => _isMounted ? _directory.At("filler") : _directory.At("journal/next.reserved");

    /// <summary>Takes all space that is left.</summary>
    public void Fill()
    {
        if (!_isMounted)
        {
            Directory.CreateDirectory(Obstacle);
            return;
        }

        using var file = File.OpenHandle(Obstacle, FileMode.Create, FileAccess.Write);
        var page = new byte[4096];
        try
        {
            for (var offset = 0L; ; offset += page.Length) RandomAccess.Write(file, page, offset);
        }
        catch (IOException)
        {
            // It is full.
        }
    }

    /// <summary>Gives it back.</summary>
    public void Free()
    {
        if (_isMounted) File.Delete(Obstacle);
        else Directory.Delete(Obstacle);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isMounted) _ = umount2(Path, 2); // MNT_DETACH
        _directory.Dispose();
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);
}
