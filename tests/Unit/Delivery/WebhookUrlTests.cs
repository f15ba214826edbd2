using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class WebhookUrlTests
{
    private static readonly AddressGuard Guard = new(new DeliveryOptions());

    [Theory]
    [InlineData("https://example.com")]
    [InlineData("http://example.com:8080/hooks?a=b&c=@d")]
    [InlineData("https://does-not-resolve.invalid/")]
    [InlineData("https://8.8.8.8/")]
    [InlineData("https://[2606:4700::1111]:8443/x")]
    [InlineData("https://[::ffff:8.8.8.8]/")]
    [InlineData("https://bücher.example/ü")]
    [InlineData("HTTPS://EXAMPLE.COM/A@B")]
    public void A_public_url_passes(string url)
    {
        Assert.Equal(UrlRefusal.None, Guard.CheckUrl(url, out var uri));
        Assert.NotNull(uri);
    }

    [Theory]
    [InlineData(null, UrlRefusal.Empty)]
    [InlineData("", UrlRefusal.Empty)]
    [InlineData("example.com/hook", UrlRefusal.NotAUrl)]
    [InlineData("/hook", UrlRefusal.NotAUrl)]
    [InlineData("http://", UrlRefusal.NotAUrl)]
    [InlineData("http:///path", UrlRefusal.NotAUrl)]
    [InlineData("http://exa mple.com", UrlRefusal.NotAUrl)]
    [InlineData(" https://example.com", UrlRefusal.NotAUrl)]
    [InlineData("https://example.com/\r\nx", UrlRefusal.NotAUrl)]
    [InlineData("https://example.com\\@10.0.0.1/", UrlRefusal.NotAUrl)]
    [InlineData("https://example.com:0/", UrlRefusal.NotAUrl)]
    [InlineData("https://example.com:99999/", UrlRefusal.NotAUrl)]
    [InlineData("ftp://example.com/", UrlRefusal.Scheme)]
    [InlineData("file:///etc/passwd", UrlRefusal.Scheme)]
    [InlineData("javascript:alert(1)", UrlRefusal.Scheme)]
    [InlineData("https://user:pass@example.com/", UrlRefusal.UserInfo)]
    [InlineData("https://user@example.com/", UrlRefusal.UserInfo)]
    [InlineData("https://@example.com/", UrlRefusal.UserInfo)]
    [InlineData("https://example.com/#part", UrlRefusal.Fragment)]
    [InlineData("https://example.com/#", UrlRefusal.Fragment)]
    public void A_bad_url_is_refused_with_its_reason(string? url, object refusal)
    {
        Assert.Equal((UrlRefusal)refusal, Guard.CheckUrl(url, out var uri));
        Assert.Null(uri);
        Assert.NotEmpty(((UrlRefusal)refusal).Explain());
    }

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://127.1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://0x7f.0.0.1/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://017700000001/")]
    [InlineData("http://127.0.0.1./")]
    [InlineData("http://127。0。0。1/")]
    [InlineData("http://0/")]
    [InlineData("http://localhost/")]
    [InlineData("http://LOCALHOST./")]
    [InlineData("http://a.localhost:8080/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://0xA9FEA9FE/")]
    [InlineData("http://2852039166/")]
    [InlineData("http://[::]/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[0:0:0:0:0:0:0:1]/")]
    [InlineData("http://[::ffff:7f00:1]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://[::ffff:169.254.169.254]/")]
    [InlineData("http://[::127.0.0.1]/")]
    [InlineData("http://[::ffff:0:127.0.0.1]/")]
    [InlineData("http://[64:ff9b::127.0.0.1]/")]
    [InlineData("http://[64:ff9b:1::7f00:1]/")]
    [InlineData("http://[2002:7f00:1::]/")]
    [InlineData("http://[2001:0:7f00:1::]/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://[fd00::1]/")]
    public void A_blocked_literal_is_refused_in_every_notation(string url) => Assert.Equal(UrlRefusal.Blocked, Guard.CheckUrl(url, out _));

    [Fact]
    public void The_length_limit_is_exact()
    {
        var longest = "https://example.com/" + new string('a', AddressGuard.MaxUrlLength - 20);

        Assert.Equal(UrlRefusal.None, Guard.CheckUrl(longest, out _));
        Assert.Equal(UrlRefusal.TooLong, Guard.CheckUrl(longest + "a", out _));
    }

    [Fact]
    public void Local_receivers_pass_when_private_networks_are_lifted()
    {
        var guard = new AddressGuard(new DeliveryOptions { AllowPrivateNetworks = true });

        Assert.Equal(UrlRefusal.None, guard.CheckUrl("http://localhost:3000/hook", out _));
        Assert.Equal(UrlRefusal.None, guard.CheckUrl("http://[::1]:3000/", out _));
        Assert.Equal(UrlRefusal.Blocked, guard.CheckUrl("http://169.254.169.254/", out _));
    }
}
