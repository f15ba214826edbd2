using System.Data.Common;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Server.Storage;

/// <summary>Statements on organizations and keys in the SQL that both stores speak, and what their rows say.</summary>
internal static class AccountStatements
{
    /// <summary>All organizations.</summary>
    public const string Organizations = """
        SELECT organization_no, id, name, tier, rate_limit_per_minute, route, created_at, updated_at, suspended_at, suspended_reason
        FROM organizations
        """;

    /// <summary>All keys.</summary>
    public const string Keys = """
        SELECT organization_no, id, hash, prefix, name, scopes, created_at, expires_at, last_used_at, given_expires_at
        FROM api_keys
        """;

    /// <summary>
    /// Adds a key: organization, id, hash, prefix, name, scopes, when it was made, when it ends, when it was said to end.
    /// </summary>
    public const string InsertKey = """
        INSERT INTO api_keys (organization_no, id, hash, prefix, name, scopes, created_at, expires_at, given_expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """;

    /// <summary>
    /// Asked when a write did nothing: has an earlier try of the same write, whose reply was lost, done it? Organization, id, hash.
    /// </summary>
    public const string HasKey = """
        SELECT 1 FROM api_keys k WHERE k.organization_no = $1 AND k.id = $2 AND k.hash = $3
        """;

    /// <summary>How many keys of an organization still live at a time.</summary>
    public const string CountLive = """
        SELECT count(*) FROM api_keys k WHERE k.organization_no = $1 AND (k.expires_at IS NULL OR k.expires_at > $2)
        """;

    /// <summary>When an organization's key ends, and its scopes.</summary>
    public const string FindKey = """
        SELECT k.expires_at, k.scopes FROM api_keys k WHERE k.organization_no = $1 AND k.id = $2
        """;

    /// <summary>That something of an organization has changed: organization, when.</summary>
    public const string Touch = """
        UPDATE organizations SET updated_at = $2 WHERE organization_no = $1
        """;

    /// <summary>Suspends an organization, or ends that: organization, since when, why, when it was changed.</summary>
    public const string Suspend = """
        UPDATE organizations SET suspended_at = $2, suspended_reason = $3, updated_at = $4 WHERE organization_no = $1
        """;

    /// <summary>Changes an organization: organization, name, tier, rate limit, when it was changed.</summary>
    public const string Update = """
        UPDATE organizations SET name = $2, tier = $3, rate_limit_per_minute = $4, updated_at = $5 WHERE organization_no = $1
        """;

    /// <summary>Reads a row of <see cref="Organizations"/>.</summary>
    public static OrganizationRecord ReadOrganization(DbDataReader row) => new()
    {
        No = row.GetInt32(0),
        Id = row.GetUuid(1),
        Name = row.GetString(2),
        Tier = row.GetString(3),
        RateLimitPerMinute = row.GetIntOrNull(4),
        Route = row.GetString(5),
        CreatedAt = row.GetTime(6),
        UpdatedAt = row.GetTime(7),
        SuspendedAt = row.GetTimeOrNull(8),
        SuspendedReason = row.GetTextOrNull(9),
    };

    /// <summary>Reads a row of <see cref="Keys"/>.</summary>
    public static ApiKeyRecord ReadKey(DbDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetUuid(1),
        Hash = row.GetFieldValue<byte[]>(2),
        Prefix = row.GetString(3),
        Name = row.GetString(4),
        Scopes = row.GetString(5),
        CreatedAt = row.GetTime(6),
        ExpiresAt = row.GetTimeOrNull(7),
        LastUsedAt = row.GetTimeOrNull(8),
        GivenExpiresAt = row.GetTimeOrNull(9),
    };

    /// <summary>Reads a row of <see cref="FindKey"/>.</summary>
    public static (DateTimeOffset? EndsAt, string Scopes) ReadFound(DbDataReader row) => (row.GetTimeOrNull(0), row.GetString(1));
}
