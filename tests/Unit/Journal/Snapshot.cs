using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>
/// The files of a journal that is in use, as a kill at this moment would leave them: what was written into a shared mapping is in the page
/// cache, where a copy finds it.
/// The ring's frames are copied first, then its header, then the segments; so, next to a running journal, every frame that was there when
/// the copy began is either
/// behind the copied mark and in the copied ring, or before it and in the copied segments.
/// </summary>
internal static class Snapshot
{
    public static void Take(string from, string to)
    {
        Directory.CreateDirectory(Path.Combine(to, "journal"));
        File.Copy(Path.Combine(from, "identity"), Path.Combine(to, "identity"));
        CopyRing(Path.Combine(from, "journal", "ring"), Path.Combine(to, "journal", "ring"));
        foreach (var path in Segments(from)) File.Copy(path, Path.Combine(to, "journal", Path.GetFileName(path)));
    }

    /// <summary>Its segments, oldest first.</summary>
    public static string[] Segments(string directory) =>
        [.. Directory.EnumerateFiles(Path.Combine(directory, "journal"), "*" + Segment.Extension).Order(StringComparer.Ordinal)];

    private static void CopyRing(string from, string to)
    {
        using var source = File.OpenHandle(from);
        using var target = File.OpenHandle(to, FileMode.CreateNew, FileAccess.Write);
        var bytes = new byte[RandomAccess.GetLength(source)];
        RandomAccess.Read(source, bytes.AsSpan(RingFile.HeaderLength), RingFile.HeaderLength);
        RandomAccess.Read(source, bytes.AsSpan(0, RingFile.HeaderLength), 0);
        RandomAccess.Write(target, bytes, 0);
    }
}
