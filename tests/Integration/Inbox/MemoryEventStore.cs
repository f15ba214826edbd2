using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Inbox;

/// <summary>Events in a list, newest last: just enough to test the calls above a store; what real stores do is tested with them.</summary>
internal sealed class MemoryEventStore : IEventStore
{
    /// <summary>All events with their organization's number, in order.</summary>
    public List<(int OrganizationNo, EventDetail Detail)> Events { get; } = [];

    /// <summary>The queries asked so far.</summary>
    public List<InboxQuery> Queries { get; } = [];

    /// <summary>The ids of each acknowledgement so far.</summary>
    public List<IReadOnlyList<EventId>> Acknowledgements { get; } = [];

    /// <summary>The organizations whose marks were to be moved so far; asked each time whether there is more.</summary>
    public List<int> Advances { get; } = [];

    /// <summary>Whether there is more to move, by the number of calls so far.</summary>
    public Func<int, bool> HasMore { get; set; } = _ => false;

    /// <summary>What every call throws, if anything.</summary>
    public StoreException? Failure { get; set; }

    public Task<InboxPage> ReadInboxAsync(InboxQuery query, CancellationToken cancellationToken)
    {
        ThrowIfFailing();
        Queries.Add(query);
        var matching = Events.Where(entry => entry.OrganizationNo == query.OrganizationNo).Select(entry => entry.Detail.Event)
            .Where(stored => query.Status is null || stored.Status == query.Status)
            .Where(stored => query.Type is null || stored.Type == query.Type).ToList();
        var ordered = query.Ascending ? matching : Enumerable.Reverse(matching);
        var rest = ordered.Where(stored => query.Cursor is not { } cursor || (query.Ascending ? stored.Id > cursor : stored.Id < cursor))
            .Skip(query.Offset).ToList();
        return Task.FromResult(
            new InboxPage([.. rest.Take(query.Limit)], rest.Count > query.Limit, query.IncludeTotal ? matching.Count : null));
    }

    public Task<EventDetail?> FindEventAsync(int organizationNo, EventId id, CancellationToken cancellationToken)
    {
        ThrowIfFailing();
        return Task.FromResult<EventDetail?>(
            Events.FirstOrDefault(entry => entry.OrganizationNo == organizationNo && entry.Detail.Event.Id == id).Detail);
    }

    public Task<Acknowledgements> AcknowledgeAsync(
        int organizationNo, IReadOnlyList<EventId> ids, DateTimeOffset at, CancellationToken cancellationToken)
    {
        ThrowIfFailing();
        Acknowledgements.Add([.. ids]);
        DateTimeOffset?[] times = [.. ids.Select(id => AcknowledgeOne(organizationNo, id, at))];
        return Task.FromResult(new Core.Storing.Acknowledgements(times, times.Count(time => time == at)));
    }

    public Task<bool> AdvanceInboxMarkAsync(int organizationNo, int limit, CancellationToken cancellationToken)
    {
        lock (Advances) Advances.Add(organizationNo);
        ThrowIfFailing();
        return Task.FromResult(HasMore(Advances.Count));
    }

    public Task PrepareAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<Checkpoint> ReadCheckpointAsync(int shard, Guid journalId, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<ShardClaim?> ClaimShardAsync(int shard, Guid journalId, Checkpoint expected, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task AppendAsync(
        ShardClaim claim, Checkpoint previous, Checkpoint next, ReadOnlyMemory<JournaledEvent> events,
        CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task QuarantineAsync(
        ShardClaim claim, Checkpoint previous, Checkpoint next, JournaledEvent refused, string reason,
        CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<DuplicateOf?> FindDuplicateAsync(
        int organizationNo, string dedupId, EventId notBefore, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task ProbeAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private DateTimeOffset? AcknowledgeOne(int organizationNo, EventId id, DateTimeOffset at)
    {
        var index = Events.FindIndex(entry => entry.OrganizationNo == organizationNo && entry.Detail.Event.Id == id);
        if (index < 0) return null;
        var stored = Events[index].Detail.Event;
        var acknowledged = stored with { AcknowledgedAt = stored.AcknowledgedAt ?? at, Status = EventStatus.Delivered };
        Events[index] = (organizationNo, Events[index].Detail with { Event = acknowledged });
        return acknowledged.AcknowledgedAt;
    }

    private void ThrowIfFailing()
    {
        if (Failure is { } failure) throw failure;
    }
}
