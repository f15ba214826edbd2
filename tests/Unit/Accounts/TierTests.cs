using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Unit.Accounts;

public sealed class TierTests
{
    [Theory]
    [InlineData("free", "free", 100)]
    [InlineData("starter", "free", 100)]
    [InlineData("pro", "pro", 1_000)]
    [InlineData("professional", "pro", 1_000)]
    [InlineData("business", "business", 10_000)]
    [InlineData("enterprise", "enterprise", 100_000)]
    [InlineData("Enterprise", "enterprise", 100_000)]
    public void Names_and_aliases_are_found(string name, string canonical, int limit)
    {
        Assert.Equal(new Tier(canonical, limit), Tier.Find(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("gold")]
    [InlineData(" free")]
    public void Others_are_not(string name) => Assert.Null(Tier.Find(name));

    [Fact]
    public void Scopes_come_back_from_their_text_and_unknown_ones_grant_nothing()
    {
        Assert.Equal("events:write inbox:read inbox:ack webhooks:manage keys:manage", KeyScopes.All.ToText());
        Assert.Equal(KeyScopes.All, KeyScopeNames.Parse(KeyScopes.All.ToText()));
        Assert.Equal(KeyScopes.InboxRead, KeyScopeNames.Parse(" inbox:read  admin:all Events:write"));
        Assert.Equal(KeyScopes.None, KeyScopeNames.Parse(""));
    }

    [Fact]
    public void Organization_numbers_are_positive_and_spread()
    {
        var numbers = Enumerable.Range(0, 1_000).Select(
            _ => NewAccount.Organization("Acme", Tier.Default, DateTimeOffset.UnixEpoch).No).ToList();
        Assert.All(numbers, no => Assert.True(no > 0));
        Assert.Contains(numbers, no => no > int.MaxValue / 2);
        Assert.Contains(numbers, no => no < int.MaxValue / 2);
    }
}
