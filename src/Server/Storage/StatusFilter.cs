using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage;

/// <summary>
/// What an event's status is made of: an acknowledgement or a delivered outcome → delivered; else a waiting retry → failed; else a
/// dead-letter outcome → dead letter; else pending. Once as a rule for rows that were read, once as SQL for filters; the conformance suite
/// holds them equal. OFFSET 0 changes nothing but PostgreSQL's plan: without it the rows of all organizations may be hashed, or joined, for
/// one page, since it cannot know how soon the page is full.
/// </summary>
internal static class StatusFilter
{
    private const string Settled = """
        (EXISTS (SELECT 1 FROM acks a WHERE a.organization_no = e.organization_no AND a.event_id = e.id LIMIT 1 OFFSET 0)
         OR EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = e.organization_no AND o.event_id = e.id AND o.status = 1 LIMIT 1 OFFSET 0))
        """;

    private const string Retrying = """
        EXISTS (SELECT 1 FROM retries r WHERE r.organization_no = e.organization_no AND r.event_id = e.id LIMIT 1 OFFSET 0)
        """;

    private const string Dead = """
        EXISTS (SELECT 1 FROM outcomes o WHERE o.organization_no = e.organization_no AND o.event_id = e.id AND o.status = 3 LIMIT 1 OFFSET 0)
        """;

    /// <summary>What makes the events row <c>e</c> pending.</summary>
    public const string IsPending = $"NOT {Settled} AND NOT {Retrying} AND NOT {Dead}";

    /// <summary>A condition on the events row <c>e</c>, in the SQL that both stores speak; starts with AND, or is empty for all.</summary>
    public static string Sql(EventStatus? status) => status switch
    {
        null => "",
        EventStatus.Pending => $"AND {IsPending}",
        EventStatus.Delivered => $"AND {Settled}",
        EventStatus.Failed => $"AND NOT {Settled} AND {Retrying}",
        EventStatus.DeadLetter => $"AND NOT {Settled} AND NOT {Retrying} AND {Dead}",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "unknown status"),
    };

    /// <summary>The status that these facts make.</summary>
    public static EventStatus Of(bool acknowledged, bool delivered, bool retrying, bool dead) =>
        acknowledged || delivered ? EventStatus.Delivered
        : retrying ? EventStatus.Failed
        : dead ? EventStatus.DeadLetter
        : EventStatus.Pending;
}
