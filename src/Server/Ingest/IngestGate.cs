using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Server.Ingest;

/// <summary>Whether events are taken: opened when the journal is replayed, closed when the server stops.</summary>
internal sealed class IngestGate
{
    private volatile Shard? _shard;
    private volatile string _reason = "the journal is being replayed";

    /// <summary>Where events go; null while none are taken.</summary>
    public Shard? Shard => _shard;

    /// <summary>Why none are taken, in words.</summary>
    public string Reason => _reason;

    /// <summary>Takes events from now on.</summary>
    public void Open(Shard shard) => _shard = shard;

    /// <summary>Takes none from now on.</summary>
    public void Close(string reason)
    {
        _reason = reason;
        _shard = null;
    }
}
