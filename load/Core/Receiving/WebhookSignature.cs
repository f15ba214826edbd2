using System.Security.Cryptography;
using System.Text;

namespace ZapierTriggers.Load.Core.Receiving;

/// <summary>
/// Verifies Standard Webhooks signatures: <c>v1,</c> and the base64 HMAC-SHA256 of <c>id.timestamp.body</c>, space-separated.
/// </summary>
internal static class WebhookSignature
{
    private const string SecretPrefix = "whsec_";

    /// <summary>Whether one of the signatures in the header is by this secret. The age of the timestamp is not looked at.</summary>
    /// <param name="secret"><c>whsec_</c> and base64.</param>
    /// <param name="id">The <c>webhook-id</c> header.</param>
    /// <param name="timestamp">The <c>webhook-timestamp</c> header.</param>
    /// <param name="body">The body as received.</param>
    /// <param name="signatures">The <c>webhook-signature</c> header.</param>
    public static bool Verify(string secret, string id, string timestamp, ReadOnlySpan<byte> body, string signatures)
    {
        var isPrefixed = secret.StartsWith(SecretPrefix, StringComparison.Ordinal);
        var key = Convert.FromBase64String(isPrefixed ? secret[SecretPrefix.Length..] : secret);
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hmac.AppendData(body);
        var expected = Encoding.ASCII.GetBytes("v1," + Convert.ToBase64String(hmac.GetHashAndReset()));
        return signatures.Split(' ').Any(signature => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), expected));
    }
}
