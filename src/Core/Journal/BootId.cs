namespace ZapierTriggers.Core.Journal;

/// <summary>Which start of the machine this is: another one than the ring's means that the memory of its last writer is gone.</summary>
internal static class BootId
{
    private const string Path = "/proc/sys/kernel/random/boot_id"; // Linux; the same for all containers of a machine

    /// <summary>Read once; <see cref="Guid.Empty"/> where the system does not say.</summary>
    public static Guid Current { get; } = Read();

    private static Guid Read()
    {
        try
        {
            return Guid.TryParse(File.ReadAllText(Path), out var id) ? id : Guid.Empty;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Guid.Empty;
        }
    }
}
