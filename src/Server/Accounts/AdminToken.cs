using System.Security.Cryptography;
using System.Text;

namespace ZapierTriggers.Server.Accounts;

/// <summary>The administrator's token. Only its SHA-256 is held, and compared in constant time.</summary>
internal sealed class AdminToken
{
    // Bounds the work that a caller can ask for; a token of 32 random bytes has 43 characters.
    private const int MaxLength = 1_024;

    private readonly byte[] _hash;

    /// <summary>Takes the token, 1 to 1,024 characters; throws <see cref="ArgumentException"/> otherwise.</summary>
    public AdminToken(string token)
    {
        if (token.Length is 0 or > MaxLength) throw new ArgumentException($"The admin token must have 1 to {MaxLength} characters.", nameof(token));
        _hash = SHA256.HashData(Encoding.UTF8.GetBytes(token));
    }

    /// <summary>Whether this is the token.</summary>
    public bool Matches(string presented) =>
        presented.Length <= MaxLength && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(presented)), _hash);
}
