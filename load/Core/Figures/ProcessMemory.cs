using System.Globalization;

namespace ZapierTriggers.Load.Core.Figures;

/// <summary>A process's resident memory as Linux tells it (proc(5), <c>/proc/PID/status</c>).</summary>
/// <param name="Resident">Bytes of <c>VmRSS</c>: all that is in memory, mapped files such as the journal's ring too.</param>
/// <param name="Own">Bytes of <c>RssAnon</c>: without mapped files.</param>
internal readonly record struct ProcessMemory(long Resident, long Own)
{
    /// <summary>As it is now; zero where there is no <c>/proc</c>, or no such process any more.</summary>
    public static ProcessMemory Read(int id)
    {
        try
        {
            var lines = File.ReadAllLines($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/status");
            return new ProcessMemory(Of(lines, "VmRSS:"), Of(lines, "RssAnon:"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    private static long Of(string[] lines, string name)
    {
        var line = Array.Find(lines, line => line.StartsWith(name, StringComparison.Ordinal));
        var parts = line?.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return parts is [_, var kilobytes, ..] ? long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024 : 0;
    }
}
