namespace ZapierTriggers.Core.Journal;

/// <summary>A journal from which events can be erased.</summary>
internal interface IErasableJournal
{
    /// <summary>It holds no event with a lower id; zero = nothing is known.</summary>
    EventId FirstHeld { get; }

    /// <summary>
    /// Erases them, waiting until they are stored. False when that was not so in time: some may still be there. Throws what the disk does.
    /// </summary>
    Task<bool> TryEraseAsync(ErasedFrames erased, TimeSpan atMost, CancellationToken cancellationToken);
}
