using System.Diagnostics;

namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>
/// A throw-away PostgreSQL server for one run: its files in a temporary directory, its socket on a free loopback port, <c>fsync</c> on as
/// in earnest. Started once, stopped and deleted at the end. As root it runs as an unprivileged user, because Postgres refuses root. No
/// test framework in here: other test projects link this file.
/// </summary>
internal sealed class PostgresCluster : IDisposable
{
    private const string Remedy =
        "No PostgreSQL for the tests. Type: apt-get install postgresql   "
        + "(or set ZAP_TEST_POSTGRES to a connection string of a user who may create schemas)";

    private readonly string _binaries;
    private readonly string _directory;
    private bool _running;

    private PostgresCluster(string binaries, string directory, int port)
    {
        _binaries = binaries;
        _directory = directory;
        Port = port;
    }

    /// <summary>The loopback port.</summary>
    public int Port { get; }

    /// <summary>Where the cluster's files are; also holds its socket and log.</summary>
    public string DataDirectory => Path.Combine(_directory, "data");

    /// <summary>A connection string of the superuser for the database <c>postgres</c>.</summary>
    public string ConnectionString => $"Host=127.0.0.1;Port={Port};Username=postgres;Database=postgres";

    /// <summary>The connection string that the environment gives (<c>ZAP_TEST_POSTGRES</c>), or null.</summary>
    public static string? Given => Environment.GetEnvironmentVariable("ZAP_TEST_POSTGRES") is { Length: > 0 } given ? given : null;

    /// <summary>
    /// Makes and starts a cluster. Throws <see cref="InvalidOperationException"/> with the line to type when there is no PostgreSQL here.
    /// </summary>
    public static PostgresCluster Start(params string[] settings)
    {
        var directory = Directory.CreateTempSubdirectory("zap-pg-").FullName;
        var cluster = new PostgresCluster(FindBinaries(), directory, FreePort.Draw());
        try
        {
            if (Unprivileged is { } user) cluster.Run("chown", [user, directory]);
            cluster.RunAsPostgres(
                "initdb",
                ["-D", cluster.DataDirectory, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]);
            cluster.Begin(settings);
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Starts the server of an existing cluster (after <see cref="Stop"/>), with settings like <c>max_connections=20</c>; one that runs
    /// stays as it is.
    /// </summary>
    public void Begin(params string[] settings)
    {
        if (_running) return;
        string[] all =
        [
            "listen_addresses=127.0.0.1", $"port={Port}", $"unix_socket_directories={_directory}", "fsync=on", "max_connections=200",
            .. settings,
        ];
        var options = string.Join(' ', all.Select(setting => $"-c {setting}"));
        RunAsPostgres("pg_ctl", ["-D", DataDirectory, "-l", Path.Combine(_directory, "log"), "-w", "-t", "60", "-o", options, "start"]);
        _running = true;
    }

    /// <summary>Stops the server: <c>fast</c>, <c>smart</c>, or <c>immediate</c> (as a crash).</summary>
    public void Stop(string mode = "immediate")
    {
        if (!_running) return;
        _running = false;
        RunAsPostgres("pg_ctl", ["-D", DataDirectory, "-m", mode, "-w", "stop"]);
    }

    /// <summary>A schema of the database as SQL that any client can run, by the cluster's own pg_dump.</summary>
    public string Dump(string schema) => Run(
        Path.Combine(_binaries, "pg_dump"),
        ["-h", "127.0.0.1", "-p", $"{Port}", "-U", "postgres", "--schema", schema, "--inserts", "--no-owner", "--no-privileges", "postgres"]);

    /// <summary>A dump without what only psql understands.</summary>
    public static string Runnable(string dump) => string.Join('\n', dump.Split('\n').Where(line => !line.StartsWith('\\')));

    /// <summary>Stops the server and deletes its files.</summary>
    public void Dispose()
    {
        Stop();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>The user to run as, when we are root.</summary>
    private static string? Unprivileged => !OperatingSystem.IsWindows() && Environment.UserName == "root"
        ? File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody"
        : null;

    private static string FindBinaries()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(VersionOf)
                .Select(directory => Path.Combine(directory, "bin"))
            : [];
        return debian.Concat(path).FirstOrDefault(
            directory => File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "pg_ctl")))
            ?? throw new InvalidOperationException(Remedy);
    }

    private static int VersionOf(string directory) => int.TryParse(Path.GetFileName(directory), out var version) ? version : 0;

    private void RunAsPostgres(string program, string[] arguments)
    {
        var full = Path.Combine(_binaries, program);
        if (Unprivileged is not { } user)
        {
            Run(full, arguments);
            return;
        }

        var group = user == "nobody" ? "nogroup" : user;
        Run("setpriv", ["--reuid", user, "--regid", group, "--clear-groups", full, .. arguments]);
    }

    /// <summary>
    /// Runs a program to its end; returns its output. Throws <see cref="InvalidOperationException"/> with its output when it fails.
    /// </summary>
    private string Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = _directory,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException(
                $"{Path.GetFileName(program)} {arguments.LastOrDefault()} failed: {output.Result}{errors.Result}");
        return output.Result;
    }
}
