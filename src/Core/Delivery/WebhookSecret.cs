using System.Security.Cryptography;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// The text form of a signing secret: <c>whsec_</c> and the base64 of the key (Standard Webhooks 1.0.0, "Signature scheme"). The key is
/// what the text decodes to, never the text itself.
/// </summary>
internal static class WebhookSecret
{
    /// <summary>Bytes of a key that this server makes.</summary>
    public const int KeyLength = 32;

    private const string Prefix = "whsec_";
    private const int ShortestKey = 24;
    private const int LongestKey = 64;

    /// <summary>A new secret with 32 random bytes.</summary>
    public static string Generate() => Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyLength));

    /// <summary>The key in a secret's text: 24 to 64 bytes, as the specification allows. False when the text is no such secret.</summary>
    public static bool TryDecode(string secret, out byte[] key)
    {
        key = [];
        if (!secret.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        Span<byte> buffer = stackalloc byte[LongestKey + 2];
        if (!Convert.TryFromBase64Chars(secret.AsSpan(Prefix.Length), buffer, out var length) || length is < ShortestKey or > LongestKey)
            return false;
        key = buffer[..length].ToArray();
        return true;
    }
}
