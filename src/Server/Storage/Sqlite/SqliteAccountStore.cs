using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Organizations and keys in SQLite.</summary>
internal sealed class SqliteAccountStore(SqliteDatabase database, TimeProvider time) : IAccountStore
{
    private const string Keys = $"""
        {AccountStatements.Keys}
        WHERE expires_at IS NULL OR expires_at > $1
        """;

    private const string InsertOrganization = """
        INSERT INTO organizations (organization_no, id, name, tier, rate_limit_per_minute, route, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT DO NOTHING
        """;

    private const string EndKey = """
        UPDATE api_keys
        SET expires_at = min(coalesce(expires_at, $3), $3)
        WHERE organization_no = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $4)
        """;

    /// <summary>Not one that has been rotated and lives for its grace only.</summary>
    private const string OtherManagers = """
        SELECT count(*)
        FROM api_keys
        WHERE organization_no = $1 AND id <> $2 AND (expires_at IS NULL OR (expires_at > $3 AND expires_at = given_expires_at))
          AND instr(' ' || scopes || ' ', ' keys:manage ') > 0
        """;

    /// <summary>By the key's own unique id: the caller knows no organization.</summary>
    private const string NoteUse = """
        UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)
        """;

    /// <inheritdoc/>
    public Task<AccountSnapshot> LoadAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(
            connection => new AccountSnapshot(
                connection.Query(AccountStatements.Organizations, AccountStatements.ReadOrganization),
                connection.Query(Keys, AccountStatements.ReadKey, time.GetUtcNow())),
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
                connection.Execute(AccountStatements.Touch, added.OrganizationNo, added.CreatedAt);
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
                var live = connection.Query(AccountStatements.CountLive, row => row.GetInt64(0), added.OrganizationNo, time.GetUtcNow())[0];
                if (live >= mostKeys) return KeyChange.TooMany;
                if (connection.Execute(AccountStatements.Touch, added.OrganizationNo, added.CreatedAt) == 0) return KeyChange.NotFound;
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
                var found = connection.Query(AccountStatements.FindKey, AccountStatements.ReadFound, organizationNo, keyId);
                if (found is not [var key]) return KeyChange.NotFound;
                if (key.EndsAt == at) return KeyChange.Done;
                if (key.EndsAt < at) return KeyChange.NotFound;
                if (KeyScopeNames.Parse(key.Scopes).HasFlag(KeyScopes.KeysManage)
                    && connection.Query(OtherManagers, row => row.GetInt64(0), organizationNo, keyId, at)[0] == 0)
                    return KeyChange.LastManager;

                connection.Execute(EndKey, organizationNo, keyId, at, at);
                connection.Execute(AccountStatements.Touch, organizationNo, at);
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
                    AccountStatements.Suspend,
                    organization.No,
                    organization.SuspendedAt,
                    organization.SuspendedReason,
                    organization.UpdatedAt);
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
                    AccountStatements.Update,
                    organization.No,
                    organization.Name,
                    organization.Tier,
                    organization.RateLimitPerMinute,
                    organization.UpdatedAt);
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
        connection.Query(AccountStatements.HasKey, row => row.GetInt32(0), key.OrganizationNo, key.Id, key.Hash).Count > 0;

    private static void Insert(SqliteConnection connection, ApiKeyRecord key) => connection.Execute(
        AccountStatements.InsertKey,
        key.OrganizationNo,
        key.Id,
        key.Hash,
        key.Prefix,
        key.Name,
        key.Scopes,
        key.CreatedAt,
        key.ExpiresAt,
        key.GivenExpiresAt);
}
