namespace ZapierTriggers.Core.Journal;

/// <summary>The journal cannot be used as it is; the message names the path and the remedy.</summary>
internal sealed class JournalException(string message, Exception? inner = null) : Exception(message, inner);
