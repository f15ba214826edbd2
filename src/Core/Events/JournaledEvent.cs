namespace ZapierTriggers.Core.Events;

/// <summary>
/// One accepted event as the journal holds it and a store takes it. The memories point into a buffer of the reader's and are valid only
/// until its next read.
/// </summary>
internal readonly record struct JournaledEvent
{
    /// <summary>The organization's internal number (see <see cref="Accounts.Organization.No"/>).</summary>
    public required int OrganizationNo { get; init; }

    /// <summary>The event's id, which is also its place in line.</summary>
    public required EventId Id { get; init; }

    /// <summary>
    /// XxHash3 (64 bit, seed 0) of <see cref="Payload"/>: proves the bytes, and tells a repeat with the same payload from one with another.
    /// </summary>
    public required ulong PayloadHash { get; init; }

    /// <summary>UTF-8, 1 to 255 characters.</summary>
    public required ReadOnlyMemory<byte> Type { get; init; }

    /// <summary>UTF-8, at most 255 characters; empty when there is none.</summary>
    public required ReadOnlyMemory<byte> DedupId { get; init; }

    /// <summary>UTF-8, at most 255 characters; empty when there is none.</summary>
    public required ReadOnlyMemory<byte> OrderingKey { get; init; }

    /// <summary>Whether the server itself has told it: it counts for no quota.</summary>
    public bool IsOperational { get; init; }

    /// <summary>The trace it belongs to, if its producer said one.</summary>
    public TraceParent TraceParent { get; init; }

    /// <summary>The payload, byte for byte as it was sent.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }
}
