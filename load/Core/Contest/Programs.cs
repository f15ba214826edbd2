namespace ZapierTriggers.Load.Core.Contest;

/// <summary>Finds programs.</summary>
internal static class Programs
{
    private const string DebianPostgres = "/usr/lib/postgresql";

    /// <summary>The full path of a program on PATH, or of one of PostgreSQL's where Debian keeps them, the newest version first.</summary>
    /// <exception cref="MissingProgramException">There is none.</exception>
    public static string Find(string name)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var debian = Directory.Exists(DebianPostgres)
            ? Directory.GetDirectories(DebianPostgres).OrderByDescending(VersionOf).Select(directory => Path.Combine(directory, "bin"))
            : [];
        return debian.Concat(path).Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists)
            ?? throw new MissingProgramException($"{name} is not installed");
    }

    private static int VersionOf(string directory) => int.TryParse(Path.GetFileName(directory), out var version) ? version : 0;

    /// <summary>Our built server, searched upwards from the working and the program's directory.</summary>
    /// <exception cref="MissingProgramException">It is not built.</exception>
    public static string FindServer()
    {
        const string Built = "src/Server/bin/Release/net10.0/ZapierTriggers.Server";
        foreach (var start in new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory })
        {
            for (var at = new DirectoryInfo(start); at is not null; at = at.Parent)
            {
                var path = Path.Combine(at.FullName, Built + (OperatingSystem.IsWindows() ? ".exe" : ""));
                if (File.Exists(path)) return path;
            }
        }

        throw new MissingProgramException("the server is not built; type: dotnet build -c Release src/Server");
    }
}
