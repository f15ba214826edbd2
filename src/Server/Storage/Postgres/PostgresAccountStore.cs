using Npgsql;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>Organizations and keys in Postgres.</summary>
internal sealed class PostgresAccountStore(PostgresDatabase database, TimeProvider time) : IAccountStore
{
    private const string Organizations = $"""
        {AccountStatements.Organizations}
        WHERE $1::integer[] IS NULL OR organization_no = ANY($1)
        """;

    private const string Keys = $"""
        {AccountStatements.Keys}
        WHERE (expires_at IS NULL OR expires_at > $1) AND ($2::integer[] IS NULL OR organization_no = ANY($2))
        """;

    private const string Create = """
        WITH made AS (
            INSERT INTO organizations (organization_no, id, name, tier, rate_limit_per_minute, route, created_at, updated_at)
            VALUES ($1, $10, $11, $12, $13, $14, $15, $16)
            ON CONFLICT DO NOTHING
            RETURNING organization_no
        )
        INSERT INTO api_keys (organization_no, id, hash, prefix, name, scopes, created_at, expires_at, given_expires_at)
        SELECT made.organization_no, $2, $3, $4, $5, $6, $7, $8, $9
        FROM made
        """;

    private const string Rotate = """
        WITH ended AS (
            UPDATE api_keys
            SET expires_at = least(expires_at, $11)
            WHERE organization_no = $1 AND id = $10 AND (expires_at IS NULL OR expires_at > $12)
            RETURNING organization_no
        ), touched AS (
            UPDATE organizations o SET updated_at = $7 FROM ended WHERE o.organization_no = ended.organization_no
        )
        INSERT INTO api_keys (organization_no, id, hash, prefix, name, scopes, created_at, expires_at, given_expires_at)
        SELECT ended.organization_no, $2, $3, $4, $5, $6, $7, $8, $9
        FROM ended
        """;

    /// <summary>Of two changes of one organization's keys the second waits, and sees the first.</summary>
    private const string Lock = """
        SELECT o.organization_no FROM organizations o WHERE o.organization_no = $1 FOR NO KEY UPDATE
        """;

    /// <summary>Not one that has been rotated and lives for its grace only.</summary>
    private const string OtherManagers = """
        SELECT count(*)
        FROM api_keys k
        WHERE k.organization_no = $1 AND k.id <> $2
          AND (k.expires_at IS NULL OR (k.expires_at > $3 AND k.expires_at = k.given_expires_at))
          AND position(' keys:manage ' IN ' ' || k.scopes || ' ') > 0
        """;

    private const string EndKey = """
        UPDATE api_keys SET expires_at = $3 WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>By the key's own unique id: the caller knows no organization.</summary>
    private const string NoteUse = """
        UPDATE api_keys k
        SET last_used_at = u.at
        FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, at)
        WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.at)
        """;

    /// <inheritdoc/>
    public Task<AccountSnapshot> LoadAsync(CancellationToken cancellationToken) => LoadAsync(organizationNos: null, cancellationToken);

    /// <summary>The same of some organizations; null = of all.</summary>
    public async Task<AccountSnapshot> LoadAsync(int[]? organizationNos, CancellationToken cancellationToken)
    {
        // Keys first: an organization made in between comes without keys, never a key without its organization.
        var now = time.GetUtcNow();
        var keys = await database.QueryAsync(
            Keys, parameters => parameters.With(now).With(organizationNos), AccountStatements.ReadKey, cancellationToken);
        var organizations = await database.QueryAsync(
            Organizations, parameters => parameters.With(organizationNos), AccountStatements.ReadOrganization, cancellationToken);
        return new AccountSnapshot(organizations, keys);
    }

    /// <inheritdoc/>
    public async Task<bool> CreateAsync(OrganizationRecord organization, ApiKeyRecord key, CancellationToken cancellationToken)
    {
        var made = await database.RunInTransactionAsync(
            async connection =>
            {
                var rows = await connection.ExecuteAsync(Create, parameters => BindNew(parameters, organization, key), cancellationToken);
                if (rows == 1)
                    await PostgresAudit.InsertAsync(connection, AuditedCall.EntryFor(organization.No, organization.Id), cancellationToken);
                return rows == 1;
            },
            cancellationToken);
        return made || await database.RunAsync(connection => HasAsync(connection, key, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<bool> RotateAsync(
        ApiKeyRecord added,
        Guid replacedKeyId,
        DateTimeOffset replacedEndsAt,
        CancellationToken cancellationToken)
    {
        try
        {
            var done = await database.RunInTransactionAsync(
                async connection =>
                {
                    var rows = await connection.ExecuteAsync(
                        Rotate,
                        parameters =>
                            BindKey(parameters, added).With(replacedKeyId).With(replacedEndsAt.ToUniversalTime()).With(time.GetUtcNow()),
                        cancellationToken);
                    if (rows == 1)
                        await PostgresAudit.InsertAsync(
                            connection, AuditedCall.EntryFor(added.OrganizationNo, replacedKeyId), cancellationToken);
                    return rows == 1;
                },
                cancellationToken);
            if (done) return true;
        }
        catch (StoreException taken) when (taken.Code == PostgresErrorCodes.UniqueViolation)
        {
            // The replaced key still lives, for its grace, and the new one is there.
        }

        return await database.RunAsync(connection => HasAsync(connection, added, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<KeyChange> AddKeyAsync(ApiKeyRecord added, int mostKeys, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
        async connection =>
        {
            var no = added.OrganizationNo;
            if (await LockAsync(connection, no, cancellationToken) == 0) return KeyChange.NotFound;
            if (await HasAsync(connection, added, cancellationToken)) return KeyChange.Done;
            var now = time.GetUtcNow();
            var live = await connection.QueryAsync(
                AccountStatements.CountLive, p => p.With(no).With(now), row => row.GetInt64(0), cancellationToken);
            if (live[0] >= mostKeys) return KeyChange.TooMany;
            await connection.ExecuteAsync(AccountStatements.InsertKey, parameters => BindKey(parameters, added), cancellationToken);
            await connection.ExecuteAsync(
                AccountStatements.Touch, p => p.With(no).With(added.CreatedAt.ToUniversalTime()), cancellationToken);
            await PostgresAudit.InsertAsync(connection, AuditedCall.EntryFor(no, added.Id), cancellationToken);
            return KeyChange.Done;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<KeyChange> RevokeKeyAsync(int organizationNo, Guid keyId, DateTimeOffset at, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async connection =>
            {
                at = at.ToUniversalTime();
                await LockAsync(connection, organizationNo, cancellationToken);
                var found = await connection.QueryAsync(
                    AccountStatements.FindKey, p => p.With(organizationNo).With(keyId), AccountStatements.ReadFound, cancellationToken);
                if (found is not [var key]) return KeyChange.NotFound;
                if (key.EndsAt == at) return KeyChange.Done;
                if (key.EndsAt < at) return KeyChange.NotFound;
                if (KeyScopeNames.Parse(key.Scopes).HasFlag(KeyScopes.KeysManage))
                {
                    var others = await connection.QueryAsync(
                        OtherManagers, p => p.With(organizationNo).With(keyId).With(at), row => row.GetInt64(0), cancellationToken);
                    if (others[0] == 0) return KeyChange.LastManager;
                }

                await connection.ExecuteAsync(EndKey, p => p.With(organizationNo).With(keyId).With(at), cancellationToken);
                await connection.ExecuteAsync(AccountStatements.Touch, p => p.With(organizationNo).With(at), cancellationToken);
                await PostgresAudit.InsertAsync(connection, AuditedCall.EntryFor(organizationNo, keyId), cancellationToken);
                return KeyChange.Done;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task SuspendAsync(OrganizationRecord organization, CancellationToken cancellationToken) => ChangeAsync(
        organization,
        AccountStatements.Suspend,
        parameters => parameters.With(organization.No).With(organization.SuspendedAt?.ToUniversalTime()).With(organization.SuspendedReason)
            .With(organization.UpdatedAt.ToUniversalTime()),
        cancellationToken);

    /// <inheritdoc/>
    public Task UpdateAsync(OrganizationRecord organization, CancellationToken cancellationToken) => ChangeAsync(
        organization,
        AccountStatements.Update,
        parameters => parameters.With(organization.No).With(organization.Name).With(organization.Tier).With(organization.RateLimitPerMinute)
            .With(organization.UpdatedAt.ToUniversalTime()),
        cancellationToken);

    /// <inheritdoc/>
    public Task NoteUseAsync(IReadOnlyList<(Guid KeyId, DateTimeOffset At)> uses, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            NoteUse,
            parameters => parameters.With(uses.Select(use => use.KeyId).ToArray())
                .With(uses.Select(use => use.At.ToUniversalTime()).ToArray()),
            cancellationToken);

    private Task<bool> ChangeAsync(
        OrganizationRecord organization, string sql, Action<NpgsqlParameterCollection> bind, CancellationToken cancellationToken) =>
        database.RunInTransactionAsync(
            async connection =>
            {
                await connection.ExecuteAsync(sql, bind, cancellationToken);
                await PostgresAudit.InsertAsync(connection, AuditedCall.EntryFor(organization.No, organization.Id), cancellationToken);
                return true;
            },
            cancellationToken);

    private static async Task<int> LockAsync(NpgsqlConnection connection, int organizationNo, CancellationToken cancellationToken) =>
        (await connection.QueryAsync(Lock, parameters => parameters.With(organizationNo), row => row.GetInt32(0), cancellationToken)).Count;

    private static async Task<bool> HasAsync(NpgsqlConnection connection, ApiKeyRecord key, CancellationToken cancellationToken)
    {
        var found = await connection.QueryAsync(
            AccountStatements.HasKey,
            parameters => parameters.With(key.OrganizationNo).With(key.Id).With(key.Hash),
            row => row.GetInt32(0),
            cancellationToken);
        return found.Count > 0;
    }

    /// <summary><c>$1</c> to <c>$16</c>.</summary>
    private static void BindNew(NpgsqlParameterCollection parameters, OrganizationRecord organization, ApiKeyRecord key) =>
        BindKey(parameters, key)
            .With(organization.Id).With(organization.Name).With(organization.Tier).With(organization.RateLimitPerMinute)
            .With(organization.Route).With(organization.CreatedAt.ToUniversalTime()).With(organization.UpdatedAt.ToUniversalTime());

    /// <summary><c>$1</c> to <c>$9</c>.</summary>
    private static NpgsqlParameterCollection BindKey(NpgsqlParameterCollection parameters, ApiKeyRecord key) =>
        parameters.With(key.OrganizationNo).With(key.Id).With(key.Hash).With(key.Prefix).With(key.Name).With(key.Scopes)
            .With(key.CreatedAt.ToUniversalTime()).With(key.ExpiresAt?.ToUniversalTime()).With(key.GivenExpiresAt?.ToUniversalTime());
}
