using System.Runtime.InteropServices;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>Makes the system refuse calls on a file that this process has open, by putting another file behind its descriptor.</summary>
internal static partial class FileFault
{
    /// <summary>Every write fails (no space left on device).</summary>
    public static void FailWrites(string path) => Replace(path, "/dev/full");

    /// <summary>Writes succeed, every flush fails (invalid argument).</summary>
    public static void FailFlushes(string path) => Replace(path, "/dev/null");

    private static void Replace(string path, string device)
    {
        using var other = File.OpenHandle(device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var descriptors = Directory.EnumerateFiles("/proc/self/fd").Where(name => TargetOf(name) == path)
            .Select(name => int.Parse(Path.GetFileName(name))).ToList();
        Assert.NotEmpty(descriptors);
        foreach (var descriptor in descriptors) Assert.Equal(descriptor, dup2((int)other.DangerousGetHandle(), descriptor));
    }

    private static string? TargetOf(string name)
    {
        try
        {
            return new FileInfo(name).LinkTarget;
        }
        catch (IOException)
        {
            return null; // closed meanwhile by another test
        }
    }

    [LibraryImport("libc")]
    private static partial int dup2(int from, int to);
}
