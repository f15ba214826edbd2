using Npgsql;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Organizations and keys in Postgres.</summary>
internal sealed class PostgresAccountStore(PostgresDatabase database, TimeProvider time) : IAccountStore
{
    private const string Organizations = """
        SELECT organization_no, id, name, tier, rate_limit_per_minute, route, created_at, updated_at FROM organizations
        """;

    private const string Keys = """
        SELECT organization_no, id, hash, prefix, name, scopes, created_at, expires_at, last_used_at
        FROM api_keys
        WHERE expires_at IS NULL OR expires_at > $1
        """;

    private const string Create = """
        WITH made AS (
            INSERT INTO organizations (organization_no, id, name, tier, rate_limit_per_minute, route, created_at, updated_at)
            VALUES ($1, $9, $10, $11, $12, $13, $14, $15)
            ON CONFLICT DO NOTHING
            RETURNING organization_no
        )
        INSERT INTO api_keys (organization_no, id, hash, prefix, name, scopes, created_at, expires_at)
        SELECT made.organization_no, $2, $3, $4, $5, $6, $7, $8
        FROM made
        """;

    private const string Rotate = """
        WITH ended AS (
            UPDATE api_keys
            SET expires_at = least(expires_at, $10)
            WHERE organization_no = $1 AND id = $9 AND (expires_at IS NULL OR expires_at > $11)
            RETURNING organization_no
        ), touched AS (
            UPDATE organizations o SET updated_at = $7 FROM ended WHERE o.organization_no = ended.organization_no
        )
        INSERT INTO api_keys (organization_no, id, hash, prefix, name, scopes, created_at, expires_at)
        SELECT ended.organization_no, $2, $3, $4, $5, $6, $7, $8
        FROM ended
        """;

    /// <summary>Asked when a write did nothing: has an earlier try of the same write, whose reply was lost, done it?</summary>
    private const string HasKey = """
        SELECT k.id FROM api_keys k WHERE k.organization_no = $1 AND k.id = $2 AND k.hash = $3
        """;

    private const string Update = """
        UPDATE organizations SET name = $2, tier = $3, rate_limit_per_minute = $4, updated_at = $5 WHERE organization_no = $1
        """;

    /// <summary>By the key's own unique id: the caller knows no organization.</summary>
    private const string NoteUse = """
        UPDATE api_keys k
        SET last_used_at = u.at
        FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, at)
        WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.at)
        """;

    /// <inheritdoc/>
    public async Task<AccountSnapshot> LoadAsync(CancellationToken cancellationToken)
    {
        // Keys first: an organization made in between comes without keys, never a key without its organization.
        var now = time.GetUtcNow();
        var keys = await database.QueryAsync(Keys, parameters => parameters.With(now), ReadKey, cancellationToken);
        var organizations = await database.QueryAsync(Organizations, _ => { }, ReadOrganization, cancellationToken);
        return new AccountSnapshot(organizations, keys);
    }

    /// <inheritdoc/>
    public async Task<bool> CreateAsync(OrganizationRecord organization, ApiKeyRecord key, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            Create,
            parameters => BindKey(parameters, key)
                .With(organization.Id).With(organization.Name).With(organization.Tier).With(organization.RateLimitPerMinute)
                .With(organization.Route).With(organization.CreatedAt.ToUniversalTime()).With(organization.UpdatedAt.ToUniversalTime()),
            cancellationToken) == 1
        || await HasAsync(key, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> RotateAsync(
        ApiKeyRecord added,
        Guid replacedKeyId,
        DateTimeOffset replacedEndsAt,
        CancellationToken cancellationToken)
    {
        try
        {
            var rows = await database.ExecuteAsync(
                Rotate,
                parameters => BindKey(parameters, added).With(replacedKeyId).With(replacedEndsAt.ToUniversalTime()).With(time.GetUtcNow()),
                cancellationToken);
            if (rows == 1) return true;
        }
        catch (StoreException taken) when (taken.Code == PostgresErrorCodes.UniqueViolation)
        {
            // The replaced key still lives, for its grace, and the new one is there.
        }

        return await HasAsync(added, cancellationToken);
    }

    /// <inheritdoc/>
    public Task UpdateAsync(OrganizationRecord organization, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            Update,
            parameters => parameters.With(organization.No).With(organization.Name).With(organization.Tier)
                .With(organization.RateLimitPerMinute)
                .With(organization.UpdatedAt.ToUniversalTime()),
            cancellationToken);

    /// <inheritdoc/>
    public Task NoteUseAsync(IReadOnlyList<(Guid KeyId, DateTimeOffset At)> uses, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            NoteUse,
            parameters => parameters.With(uses.Select(use => use.KeyId).ToArray())
                .With(uses.Select(use => use.At.ToUniversalTime()).ToArray()),
            cancellationToken);

    private async Task<bool> HasAsync(ApiKeyRecord key, CancellationToken cancellationToken)
    {
        var found = await database.QueryAsync(
            HasKey,
            parameters => parameters.With(key.OrganizationNo).With(key.Id).With(key.Hash),
            row => row.GetGuid(0),
            cancellationToken);
        return found.Count > 0;
    }

    /// <summary><c>$1</c> to <c>$8</c>.</summary>
    private static NpgsqlParameterCollection BindKey(NpgsqlParameterCollection parameters, ApiKeyRecord key) =>
        parameters.With(key.OrganizationNo).With(key.Id).With(key.Hash).With(key.Prefix).With(key.Name).With(key.Scopes)
            .With(key.CreatedAt.ToUniversalTime()).With(key.ExpiresAt?.ToUniversalTime());

    private static OrganizationRecord ReadOrganization(NpgsqlDataReader row) => new()
    {
        No = row.GetInt32(0),
        Id = row.GetGuid(1),
        Name = row.GetString(2),
        Tier = row.GetString(3),
        RateLimitPerMinute = row.GetIntOrNull(4),
        Route = row.GetString(5),
        CreatedAt = row.GetTime(6),
        UpdatedAt = row.GetTime(7),
    };

    private static ApiKeyRecord ReadKey(NpgsqlDataReader row) => new()
    {
        OrganizationNo = row.GetInt32(0),
        Id = row.GetGuid(1),
        Hash = row.GetFieldValue<byte[]>(2),
        Prefix = row.GetString(3),
        Name = row.GetString(4),
        Scopes = row.GetString(5),
        CreatedAt = row.GetTime(6),
        ExpiresAt = row.GetTimeOrNull(7),
        LastUsedAt = row.GetTimeOrNull(8),
    };
}
