using System.Runtime.InteropServices;

namespace ZapierTriggers.Load.Core.Reporting;

/// <summary>What this machine is, as far as it bears on figures; no names and no paths.</summary>
internal static class Machine
{
    /// <summary>Cores, processor, memory, system and runtime in one line.</summary>
    public static string Describe()
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        return FormattableString.Invariant(
            $"{Environment.ProcessorCount} cores ({Processor()}), {memory:F0} GiB, {RuntimeInformation.RuntimeIdentifier}, ")
            + RuntimeInformation.FrameworkDescription;
    }

    private static string Processor()
    {
        const string CpuInfo = "/proc/cpuinfo";
        var lines = File.Exists(CpuInfo) ? File.ReadLines(CpuInfo) : [];
        var line = lines.FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':') + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
