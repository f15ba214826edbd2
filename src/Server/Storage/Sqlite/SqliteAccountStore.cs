using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Organizations and keys in SQLite.</summary>
internal sealed class SqliteAccountStore(SqliteDatabase database, TimeProvider time) : IAccountStore
{
    private const string Organizations = """
        SELECT organization_no, id, name, tier, rate_limit_per_minute, route, created_at, updated_at, suspended_at, suspended_reason
        FROM organizations
        """;

    private const string Keys = """
        SELECT organization_no, id, hash, prefix, name, scopes, created_at, expires_at, last_used_at, given_expires_at
        FROM api_keys
        WHERE expires_at IS NULL OR expires_at > $1
        """;

    private const string InsertOrganization = """
        INSERT INTO organizations (organization_no, id, name, tier, rate_limit_per_minute, route, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT DO NOTHING
        """;

    private const string InsertKey = """
        INSERT INTO api_keys (organization_no, id, hash, prefix, name, scopes, created_at, expires_at, given_expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """;

    private const string EndKey = """
        UPDATE api_keys
        SET expires_at = min(coalesce(expires_at, $3), $3)
        WHERE organization_no = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $4)
        """;

    private const string TouchOrganization = """
        UPDATE organizations SET updated_at = $2 WHERE organization_no = $1
        """;

    private const string HasKey = """
        SELECT 1 FROM api_keys WHERE organization_no = $1 AND id = $2 AND hash = $3
        """;

    private const string CountLive = """
        SELECT count(*) FROM api_keys WHERE organization_no = $1 AND (expires_at IS NULL OR expires_at > $2)
        """;

    private const string FindKey = """
        SELECT expires_at, scopes FROM api_keys WHERE organization_no = $1 AND id = $2
        """;

    /// <summary>Not one that has been rotated and lives for its grace only.</summary>
    private const string OtherManagers = """
        SELECT count(*)
        FROM api_keys
        WHERE organization_no = $1 AND id <> $2 AND (expires_at IS NULL OR (expires_at > $3 AND expires_at = given_expires_at))
          AND instr(' ' || scopes || ' ', ' keys:manage ') > 0
        """;

    private const string Suspend = """
        UPDATE organizations SET suspended_at = $2, suspended_reason = $3, updated_at = $4 WHERE organization_no = $1
        """;

    private const string Update = """
        UPDATE organizations SET name = $2, tier = $3, rate_limit_per_minute = $4, updated_at = $5 WHERE organization_no = $1
        """;

    /// <summary>By the key's own unique id: the caller knows no organization.</summary>
    private const string NoteUse = """
        UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)
        """;

    /// <inheritdoc/>
    public Task<AccountSnapshot> LoadAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(
            connection => new AccountSnapshot(
                connection.Query(Organizations, ReadOrganization),
                connection.Query(Keys, ReadKey, time.GetUtcNow())),
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CreateAsync(OrganizationRecord organization, ApiKeyRecord key, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(organization.No, organization.Id);
        return database.WriteAsync(
            connection =>
            {
                var made = connection.Execute(
                    InsertOrganization,
                    organization.No,
                    organization.Id,
                    organization.Name,
                    organization.Tier,
                    organization.RateLimitPerMinute,
                    organization.Route,
                    organization.CreatedAt,
                    organization.UpdatedAt) == 1;
                if (!made) return Has(connection, key);
                Insert(connection, key);
                SqliteAudit.Insert(connection, entry);
                return true;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> RotateAsync(
        ApiKeyRecord added,
        Guid replacedKeyId,
        DateTimeOffset replacedEndsAt,
        CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(added.OrganizationNo, replacedKeyId);
        return database.WriteAsync(
            connection =>
            {
                if (Has(connection, added)) return true;
                if (connection.Execute(EndKey, added.OrganizationNo, replacedKeyId, replacedEndsAt, time.GetUtcNow()) == 0) return false;
                connection.Execute(TouchOrganization, added.OrganizationNo, added.CreatedAt);
                Insert(connection, added);
                SqliteAudit.Insert(connection, entry);
                return true;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<KeyChange> AddKeyAsync(ApiKeyRecord added, int mostKeys, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(added.OrganizationNo, added.Id);
        return database.WriteAsync(
            connection =>
            {
                if (Has(connection, added)) return KeyChange.Done;
                var live = connection.Query(CountLive, row => row.GetInt64(0), added.OrganizationNo, time.GetUtcNow())[0];
                if (live >= mostKeys) return KeyChange.TooMany;
                if (connection.Execute(TouchOrganization, added.OrganizationNo, added.CreatedAt) == 0) return KeyChange.NotFound;
                Insert(connection, added);
                SqliteAudit.Insert(connection, entry);
                return KeyChange.Done;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<KeyChange> RevokeKeyAsync(int organizationNo, Guid keyId, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(organizationNo, keyId);
        return database.WriteAsync(
            connection =>
            {
                var found = connection.Query(
                    FindKey, row => (EndsAt: row.GetTimeOrNull(0), Scopes: row.GetString(1)), organizationNo, keyId);
                if (found is not [var key]) return KeyChange.NotFound;
                if (key.EndsAt == at) return KeyChange.Done;
                if (key.EndsAt < at) return KeyChange.NotFound;
                if (KeyScopeNames.Parse(key.Scopes).HasFlag(KeyScopes.KeysManage)
                    && connection.Query(OtherManagers, row => row.GetInt64(0), organizationNo, keyId, at)[0] == 0)
                    return KeyChange.LastManager;

                connection.Execute(EndKey, organizationNo, keyId, at, at);
                connection.Execute(TouchOrganization, organizationNo, at);
                SqliteAudit.Insert(connection, entry);
                return KeyChange.Done;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task SuspendAsync(OrganizationRecord organization, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(organization.No, organization.Id);
        return database.WriteAsync(
            connection =>
            {
                SqliteAudit.Insert(connection, entry);
                return connection.Execute(
                    Suspend, organization.No, organization.SuspendedAt, organization.SuspendedReason, organization.UpdatedAt);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task UpdateAsync(OrganizationRecord organization, CancellationToken cancellationToken)
    {
        var entry = AuditedCall.EntryFor(organization.No, organization.Id);
        return database.WriteAsync(
            connection =>
            {
                SqliteAudit.Insert(connection, entry);
                return connection.Execute(
                    Update, organization.No, organization.Name, organization.Tier, organization.RateLimitPerMinute, organization.UpdatedAt);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task NoteUseAsync(IReadOnlyList<(Guid KeyId, DateTimeOffset At)> uses, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection =>
            {
                using var note = new SqliteStatement(connection, NoteUse);
                return uses.Sum(use => note.Execute(use.KeyId, use.At));
            },
            cancellationToken);

    /// <summary>Whether an earlier try of the same write has stored the key.</summary>
    private static bool Has(SqliteConnection connection, ApiKeyRecord key) =>
        connection.Query(HasKey, row => row.GetInt32(0), key.OrganizationNo, key.Id, key.Hash).Count > 0;

    private static void Insert(SqliteConnection connection, ApiKeyRecord key) => connection.Execute(
        InsertKey,
        key.OrganizationNo,
        key.Id,
        key.Hash,
        key.Prefix,
        key.Name,
        key.Scopes,
        key.CreatedAt,
        key.ExpiresAt,
        key.GivenExpiresAt);

    private static OrganizationRecord ReadOrganization(SqliteDataReader row) => new()
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

    private static ApiKeyRecord ReadKey(SqliteDataReader row) => new()
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
}
