using System.Security.Cryptography;
using System.Text;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// The one secret that administers this server: the one that was given, else one made at the first start and kept in the data directory,
/// readable by its owner alone. It is compared by hash in constant time and written to no log.
/// </summary>
internal sealed class AdminToken
{
    /// <summary>Name of the file in the data directory.</summary>
    public const string FileName = "admin-token";

    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const string Prefix = "zap_admin_";

    // 62^43 > 2^256.
    private const int SecretLength = 43;

    private readonly byte[] _hash;

    private AdminToken(string value, string? file, bool isNew)
    {
        Value = value;
        File = file;
        IsNew = isNew;
        _hash = SHA256.HashData(Encoding.UTF8.GetBytes(value));
    }

    /// <summary>The token itself; for the banner of the first start only.</summary>
    public string Value { get; }

    /// <summary>Where it is kept; null when it was given as a setting.</summary>
    public string? File { get; }

    /// <summary>Whether it was made just now.</summary>
    public bool IsNew { get; }

    /// <summary>
    /// The given token, else the kept one, else a new one. <paramref name="dataDirectory"/> must exist. Throws <see
    /// cref="StartupException"/>.
    /// </summary>
    public static AdminToken Provision(string? given, string dataDirectory)
    {
        if (given is not null) return new AdminToken(given, null, isNew: false);

        var path = Path.Combine(dataDirectory, FileName);
        try
        {
            if (ReadKept(path) is { } kept) return new AdminToken(kept, path, isNew: false);
            var made = Prefix + RandomNumberGenerator.GetString(Alphabet, SecretLength);
            Keep(made, path);
            return new AdminToken(made, path, isNew: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The admin token cannot be kept in {path}: {error.Message} Make the file readable and writable for this user, or set ADMIN_TOKEN.", error);
        }
    }

    /// <summary>Whether this is the token.</summary>
    public bool Matches(ReadOnlySpan<char> text)
    {
        Span<byte> utf8 = stackalloc byte[1024];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (!Encoding.UTF8.TryGetBytes(text, utf8, out var length)) return false;
        SHA256.HashData(utf8[..length], hash);
        return CryptographicOperations.FixedTimeEquals(hash, _hash);
    }

    private static string? ReadKept(string path)
    {
        if (!System.IO.File.Exists(path)) return null;
        if (!OperatingSystem.IsWindows()) System.IO.File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        // A file cut short (power lost while it was first written) was never shown in full; it is made anew.
        var text = System.IO.File.ReadAllText(path).Trim();
        return text.Length >= Prefix.Length + SecretLength ? text : null;
    }

    private static void Keep(string token, string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, Encoding.ASCII, options);
        writer.Write(token + "\n");
    }
}
