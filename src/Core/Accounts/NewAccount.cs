using System.Security.Cryptography;

namespace ZapierTriggers.Core.Accounts;

/// <summary>Draws the rows of new organizations and keys. Nothing here is stored yet.</summary>
internal static class NewAccount
{
    /// <summary>
    /// Draws an organization. Its number is random in 1..2^31-1, not from a sequence: a sequence goes back when a database failover loses
    /// commits, and the next organization would then get the number of a lost one whose events are still in a journal. So a number is
    /// never issued twice (but by a chance of one in 2^31 per organization); when number, id or route is taken, the store says so and the
    /// caller draws again.
    /// </summary>
    public static OrganizationRecord Organization(string name, Tier tier, DateTimeOffset now) => new()
    {
        No = RandomNumberGenerator.GetInt32(int.MaxValue) + 1,
        Id = Guid.NewGuid(),
        Name = name,
        Tier = tier.Name,
        RateLimitPerMinute = tier.RateLimitPerMinute,
        Route = KeyFormat.NewRoute(),
        CreatedAt = now,
        UpdatedAt = now,
    };

    /// <summary>Draws a key of the organization. The text is shown to the user once and kept nowhere.</summary>
    public static (ApiKeyRecord Record, string Text) Key(
        OrganizationRecord organization, bool live, string name, string scopes, DateTimeOffset now, DateTimeOffset? expiresAt = null)
    {
        var text = KeyFormat.NewKey(live, organization.Route);
        var record = new ApiKeyRecord
        {
            Id = Guid.NewGuid(),
            OrganizationNo = organization.No,
            Hash = KeyHash.Of(text).ToByteArray(),
            Prefix = KeyFormat.PrefixOf(text),
            Name = name,
            Scopes = scopes,
            CreatedAt = now,
            ExpiresAt = expiresAt,
            GivenExpiresAt = expiresAt,
            LastUsedAt = null,
        };
        return (record, text);
    }
}
