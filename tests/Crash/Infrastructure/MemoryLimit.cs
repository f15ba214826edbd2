using System.Globalization;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>
/// 256 MiB for a server. Where systemd runs: a scope of its own, in which the kernel ends a process that takes more. Elsewhere a stand-in:
/// the runtime is told what it would find in such a container, and the kernel's high-water mark of the resident set, mapped files included,
/// is held against the limit. The stand-in sees neither socket buffers nor the page cache of files that are not mapped.
/// </summary>
internal sealed class MemoryLimit
{
    /// <summary>The limit.</summary>
    public const long Bytes = 256L << 20;

    private static readonly string[] Scope = ["systemd-run", "--scope", "-q", "-p", "MemoryMax=256M", "-p", "MemorySwapMax=0"];

    /// <summary>Whether the kernel itself holds it.</summary>
    public bool IsReal { get; } = Tool.Try(Scope[0], [.. Scope[1..], "true"]).ExitCode == 0;

    /// <summary>What the server is run by.</summary>
    public IReadOnlyList<string> RunBy => IsReal ? Scope : [];

    /// <summary>Environment variables of the server: in a container .NET takes three quarters of the limit.</summary>
    public IEnumerable<KeyValuePair<string, string>> Settings =>
        IsReal ? [] : [new("DOTNET_GCTotalPhysicalMemory", Bytes.ToString("X", CultureInfo.InvariantCulture))];

    /// <summary>The most bytes that the process had resident at any time.</summary>
    public static long PeakOf(ServerProcess server)
    {
        var line = File.ReadLines($"/proc/{server.Id}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
