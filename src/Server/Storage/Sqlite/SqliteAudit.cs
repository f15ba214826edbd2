using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>The audit log in SQLite: added to and read, never changed.</summary>
internal sealed class SqliteAudit(SqliteDatabase database) : IAuditStore
{
    private const string Narrowed = """
        ($2 IS NULL OR a.id < $2)
          AND ($3 IS NULL OR a.organization_id = $3)
          AND ($4 IS NULL OR a.action = $4)
          AND ($5 IS NULL OR a.actor = $5 OR a.key_prefix = $5)
          AND ($6 IS NULL OR a.key_id = $6)
          AND ($7 IS NULL OR a.at >= $7)
          AND ($8 IS NULL OR a.at < $8)
        ORDER BY a.id DESC
        LIMIT $9
        """;

    private const string OfOne = $"""
        SELECT {AuditStatements.Columns} FROM audit_entries a WHERE a.organization_no = $1 AND {Narrowed}
        """;

    private const string OfAll = $"""
        SELECT {AuditStatements.Columns} FROM audit_entries a WHERE $1 IS NULL AND {Narrowed}
        """;

    /// <summary>Adds the entry, if there is one, in the connection's transaction.</summary>
    public static void Insert(SqliteConnection connection, AuditEntry? entry)
    {
        if (entry is null) return;
        connection.Execute(
            AuditStatements.Insert,
            entry.OrganizationNo,
            entry.Id,
            entry.OrganizationId,
            entry.At,
            entry.Actor,
            entry.KeyId,
            entry.KeyPrefix,
            entry.Action,
            entry.Target,
            entry.Details,
            entry.Address,
            entry.RequestId);
    }

    /// <inheritdoc/>
    public Task AppendAsync(AuditEntry entry, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            Insert(connection, entry);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<(IReadOnlyList<AuditEntry> Entries, bool HasMore)> ReadAsync(AuditQuery query, CancellationToken cancellationToken) =>
        database.ReadAsync<(IReadOnlyList<AuditEntry>, bool)>(
            connection =>
            {
                var rows = connection.Query(
                    query.OrganizationNo is null ? OfAll : OfOne,
                    AuditStatements.Read,
                    query.OrganizationNo,
                    query.After,
                    query.OrganizationId,
                    query.Action,
                    query.Actor,
                    query.KeyId,
                    query.From,
                    query.To,
                    query.Limit + 1);
                return ([.. rows.Take(query.Limit)], rows.Count > query.Limit);
            },
            cancellationToken);
}
