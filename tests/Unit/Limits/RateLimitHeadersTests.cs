using Microsoft.AspNetCore.Http;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Tests.Unit.Limits;

public sealed class RateLimitHeadersTests
{
    private readonly HeaderDictionary _headers = [];

    [Theory]
    [InlineData(100, 50, 30, "\"events\";q=100;w=60", "\"events\";r=50;t=30")]
    [InlineData(2_147_483_646, 2_147_483_645, 65, "\"events\";q=2147483646;w=60", "\"events\";r=2147483645;t=65")]
    public void Both_headers_say_what_the_decision_says(int limit, int remaining, int reset, string policy, string state)
    {
        RateLimitHeaders.Write(_headers, new RateDecision(1, limit, remaining, reset));
        Assert.Equal(policy, _headers["RateLimit-Policy"]);
        Assert.Equal(state, _headers["RateLimit"]);
        Assert.Equal(2, _headers.Count);
    }

    [Fact]
    public void Without_a_limit_there_are_none()
    {
        RateLimitHeaders.Write(_headers, RateDecision.Unlimited(1));
        Assert.Empty(_headers);
    }

    [Fact]
    public void A_refusal_has_the_older_ones_too()
    {
        RateLimitHeaders.WriteRefused(_headers, new RateDecision(0, 100, 0, 30), DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        Assert.Equal("100", _headers["X-RateLimit-Limit"]);
        Assert.Equal("0", _headers["X-RateLimit-Remaining"]);
        Assert.Equal("1700000030", _headers["X-RateLimit-Reset"]);
    }
}
