using System.Security.Cryptography;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresKeyTests(PostgresFixture fixture) : KeyConformance<PostgresFixture>(fixture);

public sealed class SqliteKeyTests(SqliteFixture fixture) : KeyConformance<SqliteFixture>(fixture);

/// <summary>Several keys for an organization, suspension, and the audit entry that each change brings along.</summary>
public abstract class KeyConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon;

    private IAccountStore Store => fixture.Stores.Accounts;

    [Fact]
    public async Task A_key_is_added_as_it_is_and_once()
    {
        var (organization, first) = await CreateAsync();
        var added = NewKey(organization) with
        {
            Scopes = "inbox:read",
            ExpiresAt = Now.AddDays(1),
            GivenExpiresAt = Now.AddDays(1),
            CreatedAt = Now.AddMinutes(1),
        };

        Assert.Equal(KeyChange.Done, await Store.AddKeyAsync(added, 2, CancellationToken.None));
        Assert.Equal(KeyChange.Done, await Store.AddKeyAsync(added, 2, CancellationToken.None));

        var (stored, keys) = await LoadAsync(organization.No);
        Assert.Equal(2, keys.Count);
        Assert.Equal(added, keys.Single(key => key.Id != first.Id) with { Hash = added.Hash });
        Assert.Equal(Now.AddMinutes(1), stored.UpdatedAt);
    }

    [Fact]
    public async Task The_cap_counts_keys_that_have_not_ended()
    {
        var (organization, _) = await CreateAsync();
        var ended = NewKey(organization) with { ExpiresAt = Now.AddMinutes(-1) };
        await Store.AddKeyAsync(ended, 2, CancellationToken.None);

        Assert.Equal(KeyChange.Done, await Store.AddKeyAsync(NewKey(organization), 2, CancellationToken.None));
        Assert.Equal(KeyChange.TooMany, await Store.AddKeyAsync(NewKey(organization), 2, CancellationToken.None));
        Assert.Equal(
            KeyChange.NotFound,
            await Store.AddKeyAsync(NewKey(organization) with { OrganizationNo = StoreFixture.NextNumber() }, 2, CancellationToken.None));
        Assert.Equal(2, (await LoadAsync(organization.No)).Keys.Count);
    }

    [Fact]
    public async Task Of_many_at_once_only_as_many_as_the_cap_are_added()
    {
        var (organization, _) = await CreateAsync();

        var changes = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Store.AddKeyAsync(NewKey(organization), 4, CancellationToken.None)));

        Assert.Equal(3, changes.Count(change => change == KeyChange.Done));
        Assert.Equal(4, (await LoadAsync(organization.No)).Keys.Count);
    }

    [Fact]
    public async Task A_revoked_key_has_ended_and_the_same_again_is_done()
    {
        var (organization, _) = await CreateAsync();
        var added = NewKey(organization);
        await Store.AddKeyAsync(added, 9, CancellationToken.None);

        Assert.Equal(KeyChange.Done, await Store.RevokeKeyAsync(organization.No, added.Id, Now, CancellationToken.None));
        Assert.Equal(KeyChange.Done, await Store.RevokeKeyAsync(organization.No, added.Id, Now, CancellationToken.None));
        Assert.Equal(KeyChange.NotFound, await Store.RevokeKeyAsync(organization.No, added.Id, Now.AddSeconds(1), CancellationToken.None));

        Assert.DoesNotContain((await LoadAsync(organization.No)).Keys, key => key.Id == added.Id);
    }

    [Fact]
    public async Task Anothers_key_is_not_found()
    {
        var (organization, _) = await CreateAsync();
        var (_, foreign) = await CreateAsync();

        Assert.Equal(KeyChange.NotFound, await Store.RevokeKeyAsync(organization.No, foreign.Id, Now, CancellationToken.None));
        Assert.Equal(KeyChange.NotFound, await Store.RevokeKeyAsync(organization.No, Guid.NewGuid(), Now, CancellationToken.None));
        Assert.Null((await LoadAsync(foreign.OrganizationNo)).Keys[0].ExpiresAt);
    }

    [Fact]
    public async Task The_last_key_that_manages_keys_stays()
    {
        var (organization, first) = await CreateAsync();
        var narrow = NewKey(organization) with { Scopes = "inbox:read webhooks:manage" };
        var second = NewKey(organization);
        foreach (var added in (ApiKeyRecord[])[narrow, second]) await Store.AddKeyAsync(added, 9, CancellationToken.None);

        Assert.Equal(KeyChange.Done, await Store.RevokeKeyAsync(organization.No, first.Id, Now, CancellationToken.None));
        Assert.Equal(KeyChange.LastManager, await Store.RevokeKeyAsync(organization.No, second.Id, Now, CancellationToken.None));
        Assert.Equal(KeyChange.Done, await Store.RevokeKeyAsync(organization.No, narrow.Id, Now, CancellationToken.None));

        // The one that it replaces lives for its grace only: that does not count.
        var third = NewKey(organization);
        Assert.True(await Store.RotateAsync(third, second.Id, Now.AddHours(1), CancellationToken.None));
        Assert.Equal(KeyChange.LastManager, await Store.RevokeKeyAsync(organization.No, third.Id, Now, CancellationToken.None));
        Assert.Equal(KeyChange.Done, await Store.RevokeKeyAsync(organization.No, second.Id, Now, CancellationToken.None));
    }

    [Fact]
    public async Task Suspension_is_kept_and_taken_back()
    {
        var (organization, _) = await CreateAsync();
        var suspended = organization with { SuspendedAt = Now.AddMinutes(1), SuspendedReason = "Größe 😀", UpdatedAt = Now.AddMinutes(1) };

        await Store.SuspendAsync(suspended, CancellationToken.None);
        Assert.Equal(suspended, (await LoadAsync(organization.No)).Organization);

        // A change of something else does not touch it.
        await Store.UpdateAsync(organization with { Name = "Other", UpdatedAt = Now.AddMinutes(2) }, CancellationToken.None);
        Assert.Equal(suspended with { Name = "Other", UpdatedAt = Now.AddMinutes(2) }, (await LoadAsync(organization.No)).Organization);

        await Store.SuspendAsync(organization, CancellationToken.None);
        Assert.Null((await LoadAsync(organization.No)).Organization.SuspendedAt);
    }

    [Fact]
    public async Task A_change_brings_its_audit_entry_and_a_refused_one_none()
    {
        var (organization, first) = await CreateAsync();
        var added = NewKey(organization);
        var entries = new List<(string, string)>();

        await AuditedAsync("key.create", organization, () => Store.AddKeyAsync(added, 2, CancellationToken.None));
        await AuditedAsync("key.create", organization, () => Store.AddKeyAsync(NewKey(organization), 2, CancellationToken.None));
        await AuditedAsync(
            "key.rotate", organization, () => Store.RotateAsync(NewKey(organization), added.Id, Now, CancellationToken.None));
        await AuditedAsync(
            "key.rotate", organization, () => Store.RotateAsync(NewKey(organization), added.Id, Now, CancellationToken.None));
        await AuditedAsync("key.revoke", organization, () => Store.RevokeKeyAsync(organization.No, first.Id, Now, CancellationToken.None));
        await AuditedAsync(
            "key.revoke", organization, () => Store.RevokeKeyAsync(organization.No, Guid.NewGuid(), Now, CancellationToken.None));
        await AuditedAsync(
            "organization.suspend", organization,
            async () => { await Store.SuspendAsync(organization, CancellationToken.None); return true; });
        await AuditedAsync(
            "of another", organization with { No = StoreFixture.NextNumber() },
            () => Store.AddKeyAsync(NewKey(organization), 9, CancellationToken.None));

        var (read, hasMore) = await fixture.Stores.Audit.ReadAsync(
            new AuditQuery { OrganizationNo = organization.No, Limit = 100 }, CancellationToken.None);
        entries.AddRange(read.Select(entry => (entry.Action, entry.Target)));
        Assert.False(hasMore);
        Assert.Equal(
            [("organization.suspend", $"{organization.Id}"), ("key.revoke", $"{first.Id}"), ("key.rotate", $"{added.Id}"), ("key.create", $"{added.Id}")],
            entries);
    }

    [Fact]
    public async Task Entries_are_read_as_written_newest_first_by_any_filter()
    {
        var no = StoreFixture.NextNumber();
        var (organizationId, keyId) = (Guid.NewGuid(), Guid.NewGuid());
        var entries = Enumerable.Range(0, 7).Select(i => new AuditEntry
        {
            OrganizationNo = no,
            OrganizationId = organizationId,
            Id = Guid.CreateVersion7(Now.AddSeconds(i)),
            At = Now.AddSeconds(i),
            Actor = i % 2 == 0 ? "key" : "admin",
            KeyId = i % 2 == 0 ? keyId : null,
            KeyPrefix = i % 2 == 0 ? "zap_live_12345678" : null,
            Action = i < 3 ? "a" : "b",
            Target = $"{i}",
            Details = """{"größe":"😀"}""",
            Address = i == 0 ? null : "127.0.0.1",
            RequestId = $"r{i}",
        }).ToList();
        foreach (var entry in entries.Concat(entries)) await fixture.Stores.Audit.AppendAsync(entry, CancellationToken.None);

        var all = new AuditQuery { OrganizationNo = no, Limit = 3 };
        var (first, more) = await ReadAsync(all);
        Assert.Equal([entries[6], entries[5], entries[4]], first);
        Assert.True(more);
        var (rest, moreRest) = await ReadAsync(all with { After = first[^1].Id, Limit = 4 });
        Assert.Equal([entries[3], entries[2], entries[1], entries[0]], rest);
        Assert.False(moreRest);

        var query = new AuditQuery { OrganizationId = organizationId, Limit = 100 };
        Assert.Equal(7, (await ReadAsync(query)).Entries.Count);
        Assert.Equal(["2", "1", "0"], (await ReadAsync(query with { Action = "a" })).Entries.Select(entry => entry.Target));
        Assert.Equal(["5", "3", "1"], (await ReadAsync(query with { Actor = "admin" })).Entries.Select(entry => entry.Target));
        Assert.Equal(4, (await ReadAsync(query with { Actor = "zap_live_12345678" })).Entries.Count);
        Assert.Equal(4, (await ReadAsync(query with { KeyId = keyId })).Entries.Count);
        Assert.Equal(
            ["4", "3"],
            (await ReadAsync(query with { From = Now.AddSeconds(3), To = Now.AddSeconds(5) })).Entries.Select(entry => entry.Target));
        Assert.Empty((await ReadAsync(query with { OrganizationNo = StoreFixture.NextNumber() })).Entries);
    }

    private Task<(IReadOnlyList<AuditEntry> Entries, bool HasMore)> ReadAsync(AuditQuery query) =>
        fixture.Stores.Audit.ReadAsync(query, CancellationToken.None);

    private static async Task AuditedAsync<TResult>(string action, OrganizationRecord organization, Func<Task<TResult>> change)
    {
        var call = AuditedCall.Begin(action, TimeProvider.System.GetUtcNow(), "127.0.0.1", "r");
        call.About(organization.No, organization.Id);
        await change();
        call.End();
    }

    private async Task<(OrganizationRecord Organization, ApiKeyRecord Key)> CreateAsync()
    {
        var organization = new OrganizationRecord
        {
            No = StoreFixture.NextNumber(),
            Id = Guid.NewGuid(),
            Name = "Acme",
            Tier = "free",
            RateLimitPerMinute = 100,
            Route = RandomNumberGenerator.GetHexString(8),
            CreatedAt = Now,
            UpdatedAt = Now,
        };
        var key = NewKey(organization);
        Assert.True(await Store.CreateAsync(organization, key, CancellationToken.None));
        return (organization, key);
    }

    private async Task<(OrganizationRecord Organization, IReadOnlyList<ApiKeyRecord> Keys)> LoadAsync(int no)
    {
        var snapshot = await Store.LoadAsync(CancellationToken.None);
        return (snapshot.Organizations.Single(found => found.No == no), [.. snapshot.Keys.Where(key => key.OrganizationNo == no)]);
    }

    private static ApiKeyRecord NewKey(OrganizationRecord organization) => new()
    {
        Id = Guid.NewGuid(),
        OrganizationNo = organization.No,
        Hash = RandomNumberGenerator.GetBytes(32),
        Prefix = $"zap_live_{organization.Route}",
        Name = "default",
        Scopes = "events:write keys:manage",
        CreatedAt = Now,
        ExpiresAt = null,
        LastUsedAt = null,
    };
}
