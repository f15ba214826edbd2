namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>A directory of its own for one test, gone afterwards.</summary>
internal sealed class TempDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("zap-test-");

    /// <summary>Where it is.</summary>
    public string Path => _directory.FullName;

    /// <summary>A place in it.</summary>
    public string At(string name) => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);
}
