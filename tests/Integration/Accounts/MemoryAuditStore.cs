using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Integration.Accounts;

/// <summary>Entries in memory, read without filters; what real stores do is tested with them.</summary>
internal sealed class MemoryAuditStore : IAuditStore
{
    /// <summary>In the order of their coming.</summary>
    public List<AuditEntry> Entries { get; } = [];

    public Task AppendAsync(AuditEntry entry, CancellationToken cancellationToken)
    {
        Entries.Add(entry);
        return Task.CompletedTask;
    }

    public Task<(IReadOnlyList<AuditEntry> Entries, bool HasMore)> ReadAsync(AuditQuery query, CancellationToken cancellationToken) =>
        Task.FromResult<(IReadOnlyList<AuditEntry>, bool)>(([.. Entries.AsEnumerable().Reverse()], false));
}
