using System.Diagnostics;

namespace ZapierTriggers.Load.Core.CommandLine;

/// <summary>CPU time used, user and kernel.</summary>
internal static class ProcessCpu
{
    /// <summary>By this process.</summary>
    public static TimeSpan Own() => Of(Environment.ProcessId);

    /// <summary>By a process; zero for none.</summary>
    /// <exception cref="UsageException">There is no such process.</exception>
    public static TimeSpan Of(int? id)
    {
        if (id is not { } known) return TimeSpan.Zero;
        try
        {
            using var process = Process.GetProcessById(known);
            return process.TotalProcessorTime;
        }
        catch (ArgumentException)
        {
            throw new UsageException($"There is no process {known}.");
        }
    }
}
