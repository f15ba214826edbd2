namespace ZapierTriggers.Load.Core.Receiving;

/// <summary>How a receiver behaves.</summary>
internal sealed record ReceiverSettings
{
    /// <summary>The TCP port on loopback; 0 (default) takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Fails every n-th delivery with 500; 0 (default) fails none.</summary>
    public int FailEvery { get; init; }

    /// <summary>How long each answer is held back.</summary>
    public TimeSpan Delay { get; init; }
}
