using System.Security.Cryptography;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>An organization that is there, with a key; most tests of stores do with a number.</summary>
internal static class KnownOrganization
{
    /// <summary>Creates one; returns its number.</summary>
    public static async Task<int> NewAsync(StoreFixture store)
    {
        var no = StoreFixture.NextNumber();
        var record = new OrganizationRecord
        {
            No = no,
            Id = Guid.NewGuid(),
            Name = "Acme",
            Tier = "free",
            RateLimitPerMinute = null,
            Route = RandomNumberGenerator.GetHexString(8),
            CreatedAt = StoreFixture.Noon,
            UpdatedAt = StoreFixture.Noon,
        };
        var key = new ApiKeyRecord
        {
            Id = Guid.NewGuid(),
            OrganizationNo = no,
            Hash = RandomNumberGenerator.GetBytes(32),
            Prefix = $"zap_live_{record.Route}",
            Name = "default",
            Scopes = "events:write",
            CreatedAt = StoreFixture.Noon,
            ExpiresAt = null,
            LastUsedAt = null,
        };
        Assert.True(await store.Stores.Accounts.CreateAsync(record, key, CancellationToken.None));
        return no;
    }
}
