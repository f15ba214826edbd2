using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Core.Accounts;

/// <summary>
/// A tenant, as the request path sees it. One instance per organization for the life of the process; its settings change in place.
/// </summary>
internal sealed class Organization
{
    private ulong _lastAccepted;
    private volatile bool _isSuspended;

    /// <summary>Creates the in-memory organization from its stored row.</summary>
    public Organization(OrganizationRecord record)
    {
        No = record.No;
        Id = record.Id;
        CreatedAt = record.CreatedAt;
        Record = record;
        _isSuspended = record.SuspendedAt is not null;
        Window = new RateWindow(record.RateLimitPerMinute);
    }

    /// <summary>The internal number that every stored row begins with: random, positive, never reused (see docs/decisions).</summary>
    public int No { get; }

    /// <summary>The public id.</summary>
    public Guid Id { get; }

    /// <summary>When it was created.</summary>
    public DateTimeOffset CreatedAt { get; }

    /// <summary>The stored row as last read or written; replaced whole on a change.</summary>
    public OrganizationRecord Record { get; private set; }

    /// <summary>Whether its keys are refused for now. One read, for the request path.</summary>
    public bool IsSuspended => _isSuspended;

    /// <summary>
    /// How often it or its keys were changed by this process, from 1 on; see <see cref="AccountDirectory.TakeOver"/>. Guarded by the
    /// directory's lock.
    /// </summary>
    public long Changes { get; set; } = 1;

    /// <summary>Whether it is being erased: it takes no event any more.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Its rate limit: events in any 60 seconds.</summary>
    public RateWindow Window { get; }

    /// <summary>What is counted of its usage until it is written.</summary>
    public UsageCounters Usage { get; } = new();

    /// <summary>What it has used of its monthly quota; counted only where quotas are on.</summary>
    public QuotaCounter Quota { get; } = new();

    /// <summary>
    /// Position (<see cref="Events.EventId.High"/>) of the last event accepted for it in this process; reads wait until this is stored. 0 =
    /// none.
    /// </summary>
    public ulong LastAccepted => Volatile.Read(ref _lastAccepted);

    /// <summary>Notes an accepted event. Called by the sequencer only, in order.</summary>
    public void NoteAccepted(ulong position) => Volatile.Write(ref _lastAccepted, position);

    /// <summary>Takes over a changed row (tier, limit, name, suspension).</summary>
    public void Update(OrganizationRecord record)
    {
        Record = record;
        _isSuspended = record.SuspendedAt is not null;
        Window.SetLimit(record.RateLimitPerMinute);
    }
}
