using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Microsoft.AspNetCore.Http;
using StandardWebhooks;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class WebhookSignatureTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
    private static readonly EventId Id = new(0x0190_0000_0000_7000, 0x8000_0000_0000_0001);

    [Fact]
    public void A_fixed_vector_holds()
    {
        // Computed once with Python's hmac over the decoded key and "<id>.1700000000.<body>".
        var signature = new WebhookSignature(Secret).Sign(Id, 1_700_000_000, "{\"a\":"u8, "{}"u8, "}"u8);

        Assert.Equal("01900000-0000-7000-8000-000000000001", Id.ToString());
        Assert.Equal("v1,by3IwJx097rLtas5xm7ie3yIyPKgDJTsicbHieuY6mc=", signature);
    }

    [Fact]
    public void The_key_is_the_decoded_text_and_not_the_text()
    {
        var wrong = HMACSHA256.HashData(Encoding.ASCII.GetBytes(Secret), Encoding.ASCII.GetBytes($"{Id}.1.{{}}"));

        Assert.NotEqual("v1," + Convert.ToBase64String(wrong), new WebhookSignature(Secret).Sign(Id, 1, [], "{}"u8, []));
    }

    [Fact]
    public void The_reference_library_verifies_what_we_sign()
    {
        Gen.String[Gen.Char.AlphaNumeric, 0, 2000].Sample(body =>
        {
            var secret = WebhookSecret.Generate();
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
            var headers = new HeaderDictionary
            {
                ["webhook-id"] = Id.ToString(),
                ["webhook-timestamp"] = now.ToString(),
                ["webhook-signature"] = new WebhookSignature(secret).Sign(Id, now, "{"u8, Encoding.UTF8.GetBytes(body), "}"u8),
            };

            new StandardWebhook(secret).Verify("{" + body + "}", headers);
        }, iter: 200);
    }

    [Fact]
    public void Several_secrets_give_several_signatures_in_their_order()
    {
        string[] secrets = [WebhookSecret.Generate(), WebhookSecret.Generate(), WebhookSecret.Generate()];

        var all = new WebhookSignature(secrets).Sign(Id, 5, "a"u8, "b"u8, "c"u8);

        Assert.Equal(secrets.Select(secret => new WebhookSignature(secret).Sign(Id, 5, "ab"u8, [], "c"u8)), all.Split(' '));
    }

    [Fact]
    public void One_signer_serves_many_threads()
    {
        var signer = new WebhookSignature(Secret);
        var expected = Enumerable.Range(0, 64).Select(i => new WebhookSignature(Secret).Sign(Id, i, [], "{}"u8, [])).ToArray();

        Parallel.For(0, 20_000, i => Assert.Equal(expected[i % 64], signer.Sign(Id, i % 64, [], "{}"u8, [])));
    }

    [Fact]
    public void A_generated_secret_has_32_bytes_and_is_new_each_time()
    {
        Assert.True(WebhookSecret.TryDecode(WebhookSecret.Generate(), out var first));
        Assert.True(WebhookSecret.TryDecode(WebhookSecret.Generate(), out var second));
        Assert.Equal(32, first.Length);
        Assert.NotEqual(first, second);
    }

    [Theory]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("whsec_not base64 at all, but long enough to be one")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    public void What_is_no_secret_is_refused(string text)
    {
        Assert.False(WebhookSecret.TryDecode(text, out _));
        Assert.Throws<ArgumentException>(() => new WebhookSignature(text));
    }
}
