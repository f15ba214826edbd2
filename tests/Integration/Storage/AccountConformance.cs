using System.Security.Cryptography;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresAccountTests(PostgresFixture fixture) : AccountConformance<PostgresFixture>(fixture);

public sealed class SqliteAccountTests(SqliteFixture fixture) : AccountConformance<SqliteFixture>(fixture);

/// <summary>Organizations and keys.</summary>
public abstract class AccountConformance<T>(T fixture) : IClassFixture<T>
    where T : StoreFixture
{
    private static readonly DateTimeOffset Now = StoreFixture.Noon;

    private IAccountStore Store => fixture.Stores.Accounts;

    [Theory]
    [InlineData(100)]
    [InlineData(null)]
    public async Task What_was_created_is_loaded(int? limit)
    {
        var organization = NewOrganization() with { RateLimitPerMinute = limit };
        var key = NewKey(organization);

        Assert.True(await CreateAsync(organization, key));

        var (organizations, keys) = await LoadAsync(organization.No);
        Assert.Equal(organization, Assert.Single(organizations));
        AssertSame(key, Assert.Single(keys));
    }

    [Fact]
    public async Task A_taken_number_id_or_route_creates_nothing()
    {
        var taken = NewOrganization();
        await CreateAsync(taken, NewKey(taken));

        OrganizationRecord[] twins =
        [
            NewOrganization() with { No = taken.No },
            NewOrganization() with { Id = taken.Id },
            NewOrganization() with { Route = taken.Route },
        ];
        foreach (var twin in twins)
        {
            Assert.False(await CreateAsync(twin, NewKey(twin)));
            var (organizations, keys) = await LoadAsync(twin.No);
            Assert.Equal(twin.No == taken.No ? [taken] : [], organizations);
            Assert.Equal(twin.No == taken.No ? 1 : 0, keys.Count);
        }
    }

    [Fact]
    public async Task A_creation_whose_reply_was_lost_is_told_as_done()
    {
        var organization = NewOrganization();
        var key = NewKey(organization);
        await CreateAsync(organization, key);

        Assert.True(await CreateAsync(organization, key));

        var (organizations, keys) = await LoadAsync(organization.No);
        Assert.Equal((1, 1), (organizations.Count, keys.Count));
        Assert.False(await CreateAsync(organization, NewKey(organization)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3600)]
    public async Task A_rotation_whose_reply_was_lost_is_told_as_done(int graceSeconds)
    {
        var organization = NewOrganization();
        var (old, added) = (NewKey(organization), NewKey(organization));
        await CreateAsync(organization, old);
        var end = Now.AddSeconds(graceSeconds);
        Assert.True(await Store.RotateAsync(added, old.Id, end, CancellationToken.None));

        Assert.True(await Store.RotateAsync(added, old.Id, end, CancellationToken.None));

        var (_, keys) = await LoadAsync(organization.No);
        Assert.Single(keys, key => key.Id == added.Id);
        Assert.Equal(graceSeconds == 0 ? 1 : 2, keys.Count);
    }

    [Fact]
    public async Task A_rotated_key_ends_when_told_and_the_new_one_is_there()
    {
        var organization = NewOrganization();
        var old = NewKey(organization);
        await CreateAsync(organization, old);
        var added = NewKey(organization) with { CreatedAt = Now.AddMinutes(1) };

        Assert.True(await Store.RotateAsync(added, old.Id, Now.AddHours(1), CancellationToken.None));

        var (organizations, keys) = await LoadAsync(organization.No);
        Assert.Equal(Now.AddMinutes(1), organizations[0].UpdatedAt);
        Assert.Equal(2, keys.Count);
        Assert.Equal(Now.AddHours(1), keys.Single(key => key.Id == old.Id).ExpiresAt);

        // Once more, with a longer grace: an end is never put off.
        Assert.True(await Store.RotateAsync(NewKey(organization), old.Id, Now.AddHours(9), CancellationToken.None));
        Assert.Equal(Now.AddHours(1), (await LoadAsync(organization.No)).Keys.Single(key => key.Id == old.Id).ExpiresAt);
    }

    [Fact]
    public async Task A_key_that_ended_or_is_anothers_cannot_be_rotated()
    {
        var (organization, other) = (NewOrganization(), NewOrganization());
        var (key, foreign) = (NewKey(organization), NewKey(other));
        await CreateAsync(organization, key);
        await CreateAsync(other, foreign);
        Assert.True(await Store.RotateAsync(NewKey(organization), key.Id, Now, CancellationToken.None));

        Assert.False(await Store.RotateAsync(NewKey(organization), key.Id, Now, CancellationToken.None));
        Assert.False(await Store.RotateAsync(NewKey(organization), foreign.Id, Now, CancellationToken.None));
        Assert.False(await Store.RotateAsync(NewKey(organization), Guid.NewGuid(), Now, CancellationToken.None));

        Assert.DoesNotContain((await LoadAsync(organization.No)).Keys, loaded => loaded.Id == key.Id);
        Assert.Single((await LoadAsync(organization.No)).Keys);
        Assert.Null((await LoadAsync(other.No)).Keys[0].ExpiresAt);
    }

    [Fact]
    public async Task The_last_use_is_noted_and_never_goes_back()
    {
        var organization = NewOrganization();
        var key = NewKey(organization);
        await CreateAsync(organization, key);

        await Store.NoteUseAsync([(key.Id, Now.AddMinutes(2)), (Guid.NewGuid(), Now)], CancellationToken.None);
        await Store.NoteUseAsync([(key.Id, Now.AddMinutes(1))], CancellationToken.None);

        Assert.Equal(Now.AddMinutes(2), (await LoadAsync(organization.No)).Keys[0].LastUsedAt);
    }

    private Task<bool> CreateAsync(OrganizationRecord organization, ApiKeyRecord key) =>
        Store.CreateAsync(organization, key, CancellationToken.None);

    private async Task<(IReadOnlyList<OrganizationRecord> Organizations, IReadOnlyList<ApiKeyRecord> Keys)> LoadAsync(int organizationNo)
    {
        var snapshot = await Store.LoadAsync(CancellationToken.None);
        return (
            [.. snapshot.Organizations.Where(found => found.No == organizationNo)],
            [.. snapshot.Keys.Where(key => key.OrganizationNo == organizationNo)]);
    }

    private static OrganizationRecord NewOrganization() => new()
    {
        No = StoreFixture.NextNumber(),
        Id = Guid.NewGuid(),
        Name = "Größe & Söhne 😀",
        Tier = "free",
        RateLimitPerMinute = 100,
        Route = RandomNumberGenerator.GetHexString(8),
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    private static ApiKeyRecord NewKey(OrganizationRecord organization) => new()
    {
        Id = Guid.NewGuid(),
        OrganizationNo = organization.No,
        Hash = RandomNumberGenerator.GetBytes(32),
        Prefix = $"zap_live_{organization.Route}",
        Name = "default",
        Scopes = "events:write inbox:read",
        CreatedAt = Now,
        ExpiresAt = null,
        LastUsedAt = null,
    };

    private static void AssertSame(ApiKeyRecord expected, ApiKeyRecord actual)
    {
        Assert.Equal(expected.Hash, actual.Hash);
        Assert.Equal(expected, actual with { Hash = expected.Hash });
    }
}
