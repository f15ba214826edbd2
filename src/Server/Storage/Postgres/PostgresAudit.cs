using Npgsql;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>The audit log in Postgres: added to and read, never changed.</summary>
internal sealed class PostgresAudit(PostgresDatabase database) : IAuditStore
{
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
        SELECT {AuditStatements.Columns} FROM audit_entries a WHERE a.organization_no = $1 AND {Narrowed}
        """;

    private const string OfAll = $"""
        SELECT {AuditStatements.Columns} FROM audit_entries a WHERE $1::integer IS NULL AND {Narrowed}
        """;

    /// <summary>Adds the entry, if there is one, to a batch that is one transaction.</summary>
    public static void AddTo(NpgsqlBatch batch, AuditEntry? entry)
    {
        if (entry is not null) Bind(batch.Add(AuditStatements.Insert), entry);
    }

    /// <summary>Adds the entry, if there is one, in the connection's transaction.</summary>
    public static async Task InsertAsync(NpgsqlConnection connection, AuditEntry? entry, CancellationToken cancellationToken)
    {
        if (entry is null) return;
        await connection.ExecuteAsync(AuditStatements.Insert, parameters => Bind(parameters, entry), cancellationToken);
    }

    /// <inheritdoc/>
    public Task AppendAsync(AuditEntry entry, CancellationToken cancellationToken) =>
        database.ExecuteAsync(AuditStatements.Insert, parameters => Bind(parameters, entry), cancellationToken);

    /// <inheritdoc/>
    public async Task<(IReadOnlyList<AuditEntry> Entries, bool HasMore)> ReadAsync(AuditQuery query, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync(
            query.OrganizationNo is null ? OfAll : OfOne,
            parameters => parameters.With(query.OrganizationNo).With(query.After).With(query.OrganizationId).With(query.Action)
                .With(query.Actor).With(query.KeyId).With(query.From?.ToUniversalTime()).With(query.To?.ToUniversalTime())
                .With(query.Limit + 1),
            AuditStatements.Read,
            cancellationToken);
        return ([.. rows.Take(query.Limit)], rows.Count > query.Limit);
    }

    private static void Bind(NpgsqlParameterCollection parameters, AuditEntry entry) => parameters
        .With(entry.OrganizationNo).With(entry.Id).With(entry.OrganizationId).With(entry.At.ToUniversalTime()).With(entry.Actor)
        .With(entry.KeyId).With(entry.KeyPrefix).With(entry.Action).With(entry.Target).With(entry.Details).With(entry.Address)
        .With(entry.RequestId);
}
