using System.Diagnostics;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>Runs the system's own programs.</summary>
internal static class Tool
{
    /// <summary>Runs a program to its end. Throws <see cref="InvalidOperationException"/> with its output when it fails.</summary>
    public static string Run(string program, params string[] arguments)
    {
        var (exitCode, output) = Try(program, arguments);
        return exitCode == 0 ? output : throw new InvalidOperationException(
            $"{program} {string.Join(' ', arguments)}: exit code {exitCode}, {output}");
    }

    /// <summary>Runs a program to its end; exit code 127 when there is no such program.</summary>
    public static (int ExitCode, string Output) Try(string program, params string[] arguments)
    {
        if (!IsThere(program)) return (127, $"{program} is not installed");
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    /// <summary>Whether a program is in the path.</summary>
    public static bool IsThere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(
            folder => File.Exists(Path.Combine(folder, program)));
}
