using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>
/// Sums up an event's outcomes and waiting retries over all endpoints. A replay of what was delivered counts the tries of that delivery,
/// too.
/// </summary>
internal sealed class SqliteTries(SqliteConnection connection) : IDisposable
{
    private const string Read = """
        SELECT o.status, o.attempts, o.at, o.response_status, o.error, o.at + coalesce(o.latency_ms, 0)
        FROM outcomes o
        WHERE o.organization_no = $1 AND o.event_id = $2
        UNION ALL
        SELECT 2, r.attempts - coalesce(d.attempts, 0), r.at, r.response_status, r.error, r.at + coalesce(r.latency_ms, 0)
        FROM retries r
        LEFT JOIN outcomes d ON d.organization_no = $1 AND d.event_id = $2 AND d.endpoint_id = r.endpoint_id
        WHERE r.organization_no = $1 AND r.event_id = $2
        """;

    private readonly SqliteStatement _read = new(connection, Read);

    /// <summary>One event's sum.</summary>
    public TriesSummary Summarize(int organizationNo, EventId id)
    {
        var summary = default(TriesSummary);
        var latest = long.MinValue;
        using var row = _read.Open(organizationNo, id);
        while (row.Read())
        {
            var status = (EventStatus)row.GetInt32(0);
            var at = row.GetInt64(2);
            var changedAt = row.GetTime(5);
            summary = summary with
            {
                Delivered = summary.Delivered || status == EventStatus.Delivered,
                Retrying = summary.Retrying || status == EventStatus.Failed,
                Dead = summary.Dead || status == EventStatus.DeadLetter,
                Attempts = summary.Attempts + row.GetInt32(1),
                ResponseStatus = at > latest ? row.GetIntOrNull(3) : summary.ResponseStatus,
                Error = at > latest ? row.GetTextOrNull(4) : summary.Error,
                ChangedAt = summary.ChangedAt is { } known && known > changedAt ? known : changedAt,
            };
            latest = Math.Max(latest, at);
        }

        return summary;
    }

    /// <inheritdoc/>
    public void Dispose() => _read.Dispose();
}

/// <summary>What happened to one event. Default = nothing.</summary>
/// <param name="Delivered">At least one endpoint has it.</param>
/// <param name="Retrying">At least one endpoint will be tried again.</param>
/// <param name="Dead">At least one endpoint will not.</param>
/// <param name="Attempts">Tries, all endpoints together.</param>
/// <param name="ResponseStatus">Of the latest try.</param>
/// <param name="Error">Of the latest try.</param>
/// <param name="ChangedAt">End of the latest try.</param>
internal readonly record struct TriesSummary(
    bool Delivered,
    bool Retrying,
    bool Dead,
    int Attempts,
    int? ResponseStatus,
    string? Error,
    DateTimeOffset? ChangedAt);
