using System.Diagnostics;

namespace ZapierTriggers.Load.Core.Contest;

/// <summary>
/// Makes the files of a throw-away PostgreSQL, and the command that serves them. It refuses root, so as root another user is used.
/// </summary>
internal static class PostgresFiles
{
    /// <summary>Runs initdb in the process's directory and gives program and arguments of the server.</summary>
    /// <exception cref="MissingProgramException">PostgreSQL is not installed.</exception>
    /// <exception cref="IOException">initdb failed.</exception>
    public static (string Program, string[] Arguments) Command(TemporaryProcess process)
    {
        var (initdb, postgres) = (Programs.Find("initdb"), Programs.Find("postgres"));
        var data = Path.Combine(process.Directory, "data");
        if (User is { } user) Run("chown", [user, process.Directory], process.Directory);
        string[] made = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"];
        Run(initdb, made, process.Directory, asUser: true);
        string[] settings =
        [
            "listen_addresses=127.0.0.1", $"port={process.Port}", $"unix_socket_directories={process.Directory}",
            "fsync=on", "max_connections=600",
        ];
        return AsUser(postgres, ["-D", data, .. settings.SelectMany(setting => new[] { "-c", setting })]);
    }

    private static string? User => !OperatingSystem.IsWindows() && Environment.UserName == "root"
        ? File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody"
        : null;

    private static (string Program, string[] Arguments) AsUser(string program, string[] arguments) => User is { } user
        ? (Programs.Find("setpriv"),
            ["--reuid", user, "--regid", user == "nobody" ? "nogroup" : user, "--clear-groups", program, .. arguments])
        : (program, arguments);

    private static void Run(string program, string[] arguments, string directory, bool asUser = false)
    {
        var (file, all) = asUser ? AsUser(program, arguments) : (program, arguments);
        var start = new ProcessStartInfo(file, all)
        {
            WorkingDirectory = directory,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
        Task.WaitAll(output, errors);
        if (process.ExitCode != 0) throw new IOException($"{Path.GetFileName(program)} failed: {output.Result}{errors.Result}");
    }
}
