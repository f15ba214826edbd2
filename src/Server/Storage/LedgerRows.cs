using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>What both stores make of the ledger's rows.</summary>
internal static class LedgerRows
{
    /// <summary>
    /// Counts of events <c>s</c>: acknowledged, delivered, retrying, dead, all. The order of the conditions is that of
    /// <see cref="StatusFilter"/>, with acknowledged apart.
    /// </summary>
    public const string Counts = """
        count(*) FILTER (WHERE s.acknowledged),
        count(*) FILTER (WHERE NOT s.acknowledged AND s.delivered),
        count(*) FILTER (WHERE NOT s.acknowledged AND NOT s.delivered AND s.retrying),
        count(*) FILTER (WHERE NOT s.acknowledged AND NOT s.delivered AND NOT s.retrying AND s.dead),
        count(*)
        """;

    /// <summary>The tables whose rows hang on an event.</summary>
    public static readonly string[] Hanging = ["acks", "outcomes", "attempts", "retries"];

    /// <summary>Puts a ledger together of its sums and of a row of <see cref="Counts"/> and what is set aside.</summary>
    public static Ledger Of(IReadOnlyDictionary<LedgerKind, long> sums, Func<int, long> count)
    {
        var (acknowledged, delivered, retrying, dead, all) = (count(0), count(1), count(2), count(3), count(4));
        return new Ledger
        {
            Accepted = sums.GetValueOrDefault(LedgerKind.Accepted),
            Expired = sums.GetValueOrDefault(LedgerKind.Expired),
            Erased = sums.GetValueOrDefault(LedgerKind.Erased),
            Acknowledged = acknowledged,
            Delivered = delivered,
            Retrying = retrying,
            Dead = dead,
            Pending = all - acknowledged - delivered - dead,
            SetAside = count(5),
        };
    }

    /// <summary>Counts the rows of a table that hang on no event, over all organizations.</summary>
    public static string OrphansOf(string table) => $"""
        SELECT count(*)
        FROM {table} h
        WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.organization_no = h.organization_no AND e.id = h.event_id)
        """;
}
