using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class EndpointHeaderTests
{
    [Theory]
    [InlineData("Authorization", "Bearer abc", true)]
    [InlineData("X-Custom", "", true)]
    [InlineData("x_1!#$%&'*+-.^`|~", "a b~", true)]
    [InlineData("Expires", "0", true)]
    [InlineData("", "a", false)]
    [InlineData("X A", "a", false)]
    [InlineData("X:A", "a", false)]
    [InlineData("Größe", "a", false)]
    [InlineData("X-A\r\nX-B", "a", false)]
    [InlineData("X-A", "a\r\nX-B: c", false)]
    [InlineData("X-A", "a\tb", false)]
    [InlineData("X-A", " a", false)]
    [InlineData("X-A", "a ", false)]
    [InlineData("X-A", "ä", false)]
    [InlineData("X-A", "\u007f", false)]
    [InlineData("host", "a", false)]
    [InlineData("CONNECTION", "a", false)]
    [InlineData("Keep-Alive", "a", false)]
    [InlineData("Transfer-Encoding", "chunked", false)]
    [InlineData("TE", "trailers", false)]
    [InlineData("Trailer", "a", false)]
    [InlineData("Upgrade", "h2c", false)]
    [InlineData("Proxy-Authorization", "a", false)]
    [InlineData("Expect", "100-continue", false)]
    [InlineData("content-length", "0", false)]
    [InlineData("Content-Type", "text/plain", false)]
    [InlineData("Content-Encoding", "gzip", false)]
    [InlineData("User-Agent", "a", false)]
    [InlineData("Webhook-Id", "a", false)]
    [InlineData("webhook-anything", "a", false)]
    [InlineData("x-event-type", "a", false)]
    public void A_header_is_a_token_with_a_printable_value_and_none_of_ours(string name, string value, bool isTaken)
    {
        var problem = EndpointHeader.Check(name, value);

        Assert.Equal(isTaken, problem is null);
        // What was sent is not said back unless it is a word of ours.
        if (problem is not null && value.Length > 3) Assert.DoesNotContain(value, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Authorization", true)]
    [InlineData("X-API-KEY", true)]
    [InlineData("x-auth-token", true)]
    [InlineData("Cookie", true)]
    [InlineData("X-Shared-Secret", true)]
    [InlineData("X-Region", false)]
    public void What_grants_access_is_masked(string name, bool masked) =>
        Assert.Equal(masked ? EndpointHeader.Mask : "value", new EndpointHeader(name, "value").Shown);
}
