namespace ZapierTriggers.Core.Operations;

/// <summary>
/// What an operator does about a log entry; on the constants of <see cref="LogEvents"/> from warning on. Shown by docs/log-events.md.
/// </summary>
/// <param name="text">One or two sentences.</param>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class RemedyAttribute(string text) : Attribute
{
    /// <summary>What to do.</summary>
    public string Text => text;
}
