using Npgsql;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>The audit log in Postgres: added to and read, never changed.</summary>
internal sealed class PostgresAudit(PostgresDatabase database) : IAuditStore
{
    private const string Insert = """
        INSERT INTO audit_entries (organization_no, id, organization_id, at, actor, key_id, key_prefix, action, target, details, address,
                                   request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT DO NOTHING
        """;

    private const string Columns =
        "a.organization_no, a.id, a.organization_id, a.at, a.actor, a.key_id, a.key_prefix, a.action, a.target, a.details, a.address, a.request_id";

    private const string Narrowed = """
        ($2::uuid IS NULL OR a.id < $2)
          AND ($3::uuid IS NULL OR a.organization_id = $3)
          AND ($4::text IS NULL OR a.action = $4)
          AND ($5::text IS NULL OR a.actor = $5 OR a.key_prefix = $5)
          AND ($6::uuid IS NULL OR a.key_id = $6)
          AND ($7::timestamptz IS NULL OR a.at >= $7)
          AND ($8::timestamptz IS NULL OR a.at < $8)
        ORDER BY a.id DESC
        LIMIT $9
        """;

    private const string OfOne = $"""
        SELECT {Columns} FROM audit_entries a WHERE a.organization_no = $1 AND {Narrowed}
        """;

    private const string OfAll = $"""
        SELECT {Columns} FROM audit_entries a WHERE $1::integer IS NULL AND {Narrowed}
        """;

    /// <summary>Adds the entry, if there is one, to a batch that is one transaction.</summary>
    public static void AddTo(NpgsqlBatch batch, AuditEntry? entry)
    {
        if (entry is null) return;
        var command = new NpgsqlBatchCommand(Insert);
        Bind(command.Parameters, entry);
        batch.BatchCommands.Add(command);
    }

    /// <summary>Adds the entry, if there is one, in the connection's transaction.</summary>
    public static async Task InsertAsync(NpgsqlConnection connection, AuditEntry? entry, CancellationToken cancellationToken)
    {
        if (entry is not null) await connection.ExecuteAsync(Insert, parameters => Bind(parameters, entry), cancellationToken);
    }

    /// <inheritdoc/>
    public Task AppendAsync(AuditEntry entry, CancellationToken cancellationToken) =>
        database.ExecuteAsync(Insert, parameters => Bind(parameters, entry), cancellationToken);

    /// <inheritdoc/>
    public async Task<(IReadOnlyList<AuditEntry> Entries, bool HasMore)> ReadAsync(AuditQuery query, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            query.OrganizationNo is null ? OfAll : OfOne,
            parameters =>
                parameters.With(query.OrganizationNo).With(query.After).With(query.OrganizationId).With(query.Action).With(query.Actor)
                .With(query.KeyId).With(query.From?.ToUniversalTime()).With(query.To?.ToUniversalTime()).With(query.Limit + 1),
            ReadEntry,
            cancellationToken);
        return ([.. rows.Take(query.Limit)], rows.Count > query.Limit);
    }

    private static void Bind(NpgsqlParameterCollection parameters, AuditEntry entry) => parameters
        .With(entry.OrganizationNo).With(entry.Id).With(entry.OrganizationId).With(entry.At.ToUniversalTime()).With(entry.Actor)
        .With(entry.KeyId).With(entry.KeyPrefix).With(entry.Action).With(entry.Target).With(entry.Details).With(entry.Address)
        .With(entry.RequestId);

    private static AuditEntry ReadEntry(NpgsqlDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetGuid(1),
        OrganizationId = row.IsDBNull(2) ? null : row.GetGuid(2),
        At = row.GetTime(3),
        Actor = row.GetString(4),
        KeyId = row.IsDBNull(5) ? null : row.GetGuid(5),
        KeyPrefix = row.GetTextOrNull(6),
        Action = row.GetString(7),
        Target = row.GetString(8),
        Details = row.GetString(9),
        Address = row.GetTextOrNull(10),
        RequestId = row.GetString(11),
    };
}
