using Microsoft.AspNetCore.Http;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class RequestIdTests
{
    [Fact]
    public void A_sane_one_of_the_caller_s_is_sent_back()
    {
        var context = WithHeader("req-1/ä"[..6]);

        Assert.Equal("req-1/", RequestId.Assign(context));
        Assert.Equal("req-1/", context.Response.Headers[RequestId.HeaderName]);
        Assert.Equal("req-1/", context.TraceIdentifier);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("tab\t")]
    [InlineData("ünï")]
    [InlineData("a\r\nSet-Cookie: x")]
    public void Another_is_replaced_by_ours(string given)
    {
        var id = RequestId.Assign(WithHeader(given));

        Assert.Matches("^[0-9a-z]{13}$", id);
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void It_may_be_128_long(int length, bool sane) => Assert.Equal(sane, RequestId.IsSane(new string('x', length)));

    [Fact]
    public void Two_of_the_caller_s_are_none()
    {
        var context = new DefaultHttpContext();
        context.Request.Headers[RequestId.HeaderName] = new[] { "a", "b" };

        Assert.Equal(13, RequestId.Assign(context).Length);
    }

    [Fact]
    public void Ours_are_all_different()
    {
        var ids = Enumerable.Range(0, 10_000).Select(_ => RequestId.Assign(new DefaultHttpContext())).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(10_000, ids.Count);
    }

    private static DefaultHttpContext WithHeader(string value)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers[RequestId.HeaderName] = value;
        return context;
    }
}
