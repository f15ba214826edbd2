using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Server.Cli;

/// <summary>Options of a command that are no settings of the server.</summary>
internal static class OptionValue
{
    /// <summary>
    /// The value of <paramref name="option"/> (<c>--to X</c> or <c>--to=X</c>), taken out of the arguments; null when it is not given.
    /// Throws <see cref="StartupException"/> when its value is missing.
    /// </summary>
    public static string? Take(ref string[] args, string option)
    {
        var at = Array.FindIndex(args, one => one == option || one.StartsWith(option + "=", StringComparison.Ordinal));
        if (at < 0) return null;
        var isJoined = args[at].Length > option.Length;
        if (!isJoined && at + 1 == args.Length) throw new StartupException($"{option} needs a value.");
        var value = isJoined ? args[at][(option.Length + 1)..] : args[at + 1];
        args = [.. args[..at], .. args[(at + (isJoined ? 1 : 2))..]];
        return value;
    }
}
