using System.Data.Common;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage;

/// <summary>Statements on replay jobs in the SQL that both stores speak, and what their rows say.</summary>
internal static class ReplayJobStatements
{
    private const string Columns =
        "organization_no, id, endpoint_id, filter, since, until, rate_per_second, cursor, matched, queued, created_at, finished_at";

    /// <summary>
    /// Adds a job, unless the organization has so many ($10) others that are unfinished: organization, id, endpoint, filter, since, until,
    /// rate, matched, when it was made. The same job again changes nothing but what it matched.
    /// </summary>
    public const string Insert = """
        INSERT INTO replay_jobs (organization_no, id, endpoint_id, filter, since, until, rate_per_second, matched, created_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
        WHERE (SELECT count(*) FROM replay_jobs j WHERE j.organization_no = $1 AND j.finished_at IS NULL AND j.id <> $2) < $10
        ON CONFLICT (organization_no, id) DO UPDATE SET matched = excluded.matched
        """;

    /// <summary>A job of an organization, by its id.</summary>
    public const string Find = $"""
        SELECT {Columns} FROM replay_jobs WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>The same if it is unfinished.</summary>
    public const string FindUnfinished = $"""
        SELECT {Columns} FROM replay_jobs WHERE organization_no = $1 AND id = $2 AND finished_at IS NULL
        """;

    /// <summary>An organization's newest jobs, so many of them.</summary>
    public const string Latest = $"""
        SELECT {Columns} FROM replay_jobs WHERE organization_no = $1 ORDER BY id DESC LIMIT $2
        """;

    /// <summary>The unfinished jobs of all organizations, the oldest first.</summary>
    public const string Unfinished = $"""
        SELECT {Columns} FROM replay_jobs j WHERE j.finished_at IS NULL ORDER BY j.created_at, j.id
        """;

    /// <summary>How far a job is: organization, id, cursor, queued, when it was finished.</summary>
    public const string Move = """
        UPDATE replay_jobs SET cursor = coalesce($3, cursor), queued = $4, finished_at = $5 WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>Reads a job.</summary>
    public static ReplayJob Read(DbDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetUuid(1),
        Filter = ReplayFilterText.Read(row.GetString(3), row.GetUuidOrNull(2), row.GetTimeOrNull(4), row.GetTimeOrNull(5)),
        RatePerSecond = row.GetInt32(6),
        Cursor = row.GetEventIdOrNull(7),
        Matched = row.GetInt64(8),
        Queued = row.GetInt64(9),
        CreatedAt = row.GetTime(10),
        FinishedAt = row.GetTimeOrNull(11),
    };
}
