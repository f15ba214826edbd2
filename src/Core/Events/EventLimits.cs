namespace ZapierTriggers.Core.Events;

/// <summary>Sizes fixed by the contract.</summary>
internal static class EventLimits
{
    /// <summary>The largest payload as sent, bytes.</summary>
    public const int MaxPayloadBytes = 262_144;

    /// <summary>The largest body: the payload and 8 KiB for everything around it.</summary>
    public const int MaxBodyBytes = MaxPayloadBytes + 8192;

    /// <summary>How much of a body that is too large is read on, so that the client sees the answer instead of a reset.</summary>
    public const int MaxDrainBytes = 2 << 20;

    /// <summary>The largest body of a batch.</summary>
    public const int MaxBatchBytes = 4 << 20;

    /// <summary>The most events in a batch.</summary>
    public const int MaxBatchItems = 1000;

    /// <summary>The longest type, dedup id and ordering key, in Unicode characters (code points).</summary>
    public const int MaxTextCharacters = 255;
}
