namespace ZapierTriggers.Load.Core.Contest;

/// <summary>A program is not installed; the message says which.</summary>
internal sealed class MissingProgramException(string message) : Exception(message);
