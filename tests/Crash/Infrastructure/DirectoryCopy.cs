namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>A copy of a data directory as <c>cp -r</c> makes it; deleted when disposed.</summary>
internal sealed class DirectoryCopy : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zap-copy-");

    /// <summary>Copies.</summary>
    public DirectoryCopy(string source)
    {
        Path = System.IO.Path.Combine(_folder.FullName, "data");
        Tool.Run("cp", "-r", source, Path);
    }

    /// <summary>The copy.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}
