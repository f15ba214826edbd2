using System.Data.Common;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Server.Storage;

/// <summary>Statements on the audit log in the SQL that both stores speak, and what its rows say.</summary>
internal static class AuditStatements
{
    /// <summary>What <see cref="Read"/> reads of the audit_entries row <c>a</c>.</summary>
    public const string Columns = """
        a.organization_no, a.id, a.organization_id, a.at, a.actor, a.key_id, a.key_prefix, a.action, a.target, a.details, a.address,
        a.request_id
        """;

    /// <summary>Adds an entry, in the order of <see cref="Columns"/>. The same entry again changes nothing.</summary>
    public const string Insert = """
        INSERT INTO audit_entries (organization_no, id, organization_id, at, actor, key_id, key_prefix, action, target, details, address,
                                   request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Reads an entry.</summary>
    public static AuditEntry Read(DbDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetUuid(1),
        OrganizationId = row.GetUuidOrNull(2),
        At = row.GetTime(3),
        Actor = row.GetString(4),
        KeyId = row.GetUuidOrNull(5),
        KeyPrefix = row.GetTextOrNull(6),
        Action = row.GetString(7),
        Target = row.GetString(8),
        Details = row.GetString(9),
        Address = row.GetTextOrNull(10),
        RequestId = row.GetString(11),
    };
}
