using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Server.Operations;

/// <summary>The folder where journal, admin token and embedded database are kept.</summary>
internal static class DataDirectory
{
    /// <summary>Makes the folder if it is missing, proves that it can be written, and returns its full path. Throws <see cref="StartupException"/>.</summary>
    public static string Prepare(string path)
    {
        var full = Path.GetFullPath(path);
        var probe = Path.Combine(full, $".probe-{Environment.ProcessId}");
        try
        {
            Directory.CreateDirectory(full);
            File.WriteAllBytes(probe, [0]);
            File.Delete(probe);
            return full;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The data directory {full} cannot be written: {error.Message} Make it writable for this user, or set Storage:DataDirectory to another folder.", error);
        }
    }
}
