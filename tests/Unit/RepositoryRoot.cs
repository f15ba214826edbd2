namespace ZapierTriggers.Tests.Unit;

/// <summary>Finds the files of the repository that tests hold true: documents, sources.</summary>
internal static class RepositoryRoot
{
    /// <summary>The folder of the solution file, found from the test program upwards.</summary>
    public static string Path { get; } = Find(AppContext.BaseDirectory);

    /// <summary>The text of a file, given its path from the root.</summary>
    public static string Read(string relative) => File.ReadAllText(System.IO.Path.Combine(Path, relative));

    private static string Find(string folder)
    {
        while (!File.Exists(System.IO.Path.Combine(folder, "ZapierTriggers.sln")))
        {
            folder = System.IO.Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException(
                "ZapierTriggers.sln was not found above the test program.");
        }

        return folder;
    }
}
