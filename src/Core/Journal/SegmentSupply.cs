using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// Keeps the blocks of the next segment reserved, so that a full disk is known half a segment early. Nothing is in doubt when a
/// reservation fails: it is tried again. Used by the journal writer's thread alone.
/// </summary>
internal sealed partial class SegmentSupply(DataDirectory directory, JournalOptions options, ILogger logger) : IDisposable
{
    private IDiskFile? _reserved;

    /// <summary>Why the last reservation failed, in words that say what to do; null when it did not.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Whether the next segment's blocks are there.</summary>
    public bool IsReady => _reserved is not null;

    /// <summary>Reserves the next segment unless it is. False when that fails.</summary>
    public bool TryReserve()
    {
        try
        {
            Reserve();
            if (Trouble is not null) Log.SpaceAgain(logger);
            Trouble = null;
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (Trouble is null) Log.NoSpace(logger, directory.JournalPath, error.Message);
            Trouble = $"The next journal segment cannot be made ({error.Message}). Free space for {directory.JournalPath}.";
            return false;
        }
    }

    /// <summary>Reserves the next segment unless it is. Throws <see cref="IOException"/> on a full disk.</summary>
    public void Reserve() => _reserved ??= Segment.Reserve(directory, options.SegmentBytes);

    /// <summary>Makes the reserved blocks the next segment.</summary>
    public Segment Take(long firstSequence, long previousSequence)
    {
        var segment = Segment.Create(directory, _reserved!, firstSequence, previousSequence);
        _reserved = null;
        return segment;
    }

    /// <inheritdoc/>
    public void Dispose() => _reserved?.Dispose();

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.SegmentSupplyNoSpace, LogLevel.Error,
            "No room for a journal segment in {Directory} ({Reason}); events are refused until there is")]
        public static partial void NoSpace(ILogger logger, string directory, string reason);

        [LoggerMessage(LogEvents.SegmentSupplySpaceAgain, LogLevel.Information, "There is room for journal segments again")]
        public static partial void SpaceAgain(ILogger logger);
    }
}
