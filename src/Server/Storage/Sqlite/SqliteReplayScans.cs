using System.Text.Json.Nodes;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>What of <see cref="ReplayScanStatements"/> is SQLite's own: conditions on parameters that may be null.</summary>
internal static class SqliteReplayScans
{
    /// <summary>The statements.</summary>
    public static readonly ReplayScanStatements Statements = new(
        isChosen: "($4 IS NULL OR o.endpoint_id = $4) AND ($7 IS NULL OR hex(o.event_id) IN (SELECT j.value FROM json_each($7) j))",
        isSearched: "($5 IS NULL OR e.type = $5) AND ($6 IS NULL OR instr(lower(o.error), lower($6)) > 0)");

    /// <summary>The values of $1 to $7.</summary>
    public static object?[] Values(int organizationNo, ReplayFilter filter) =>
    [
        organizationNo, filter.From, filter.To, filter.EndpointId, filter.Type, filter.Error, filter.EventIds is { } ids ? Hex(ids) : null,
    ];

    private static string Hex(IReadOnlyList<EventId> ids)
    {
        var list = new JsonArray();
        foreach (var id in ids) list.Add((JsonNode?)Convert.ToHexString(id.ToByteArray()));
        return list.ToJsonString();
    }
}
