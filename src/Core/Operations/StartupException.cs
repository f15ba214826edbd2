namespace ZapierTriggers.Core.Operations;

/// <summary>
/// The server cannot start, for a reason that an operator can remove. Its message is shown alone, without a stack trace, so it must say in
/// one line what is wrong and what to do.
/// </summary>
internal sealed class StartupException : Exception
{
    /// <summary>Creates it with what is wrong and what to do.</summary>
    public StartupException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The process's exit code: 1, or 2 where a setting is wrong.</summary>
    public int ExitCode { get; init; } = 1;
}
