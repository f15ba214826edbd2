namespace ZapierTriggers.Core.Operations;

/// <summary>
/// The ids of all log entries, by thousands: 1000 journal and sequencer, 2000 store and store writer, 3000 delivery, 4000 accounts and inbox, 5000 operations.
/// An id is never used for another meaning again; a test holds them unique and every <c>[LoggerMessage]</c> to this table.
/// </summary>
internal static class LogEvents
{
    /// <summary>A request ended in an exception that nothing expected; it was answered 500.</summary>
    public const int RequestFailed = 5000;
}
