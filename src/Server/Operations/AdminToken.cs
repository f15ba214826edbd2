using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// The one secret that administers this server: the one that was given, else one made at the first start and kept in the data directory,
/// readable by its owner alone, until it is rotated. It is compared by hash in constant time and written to no log.
/// </summary>
internal sealed class AdminToken
{
    /// <summary>Name of the file in the data directory.</summary>
    public const string FileName = "admin-token";

    private const string FormerSuffix = ".former";
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const string Prefix = "zap_admin_";

    // 62^43 > 2^256.
    private const int SecretLength = 43;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789ABCDEF");

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lock _rotations = new();
    private readonly TimeProvider _time;
    private volatile Hashes _hashes;

    private AdminToken(string value, string? file, bool isNew, Former? former, TimeProvider time)
    {
        (Value, File, IsNew, _time) = (value, file, isNew, time);
        _hashes = new Hashes(HashOf(value), former);
    }

    /// <summary>The token as it was at the start; for the banner of the first start only.</summary>
    public string Value { get; }

    /// <summary>Where it is kept; null when it was given as a setting.</summary>
    public string? File { get; }

    /// <summary>Whether it was made just now.</summary>
    public bool IsNew { get; }

    /// <summary>
    /// The given token, else the kept one, else a new one. <paramref name="dataDirectory"/> must exist. Throws <see
    /// cref="StartupException"/>.
    /// </summary>
    /// <param name="given">The token of the settings, or null.</param>
    /// <param name="dataDirectory">Where one is kept that was not given.</param>
    /// <param name="givenFormer">With a given token: the one before, which is valid too.</param>
    /// <param name="time">For the end of the one before; null = the system's.</param>
    public static AdminToken Provision(string? given, string dataDirectory, string? givenFormer = null, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        if (given is not null)
        {
            var former = givenFormer is null ? null : new Former(HashOf(givenFormer), DateTimeOffset.MaxValue);
            return new AdminToken(given, null, isNew: false, former, time);
        }

        var path = Path.Combine(dataDirectory, FileName);
        try
        {
            if (ReadKept(path) is { } kept) return new AdminToken(kept, path, isNew: false, ReadFormer(path + FormerSuffix), time);
            var made = NewValue();
            Keep(made, path);
            return new AdminToken(made, path, isNew: true, former: null, time);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The admin token cannot be kept in {path}: {error.Message} Make the file readable and writable for this user, or set ADMIN_TOKEN.", error);
        }
    }

    /// <summary>Whether this is the token, or the one before while that is valid.</summary>
    public bool Matches(ReadOnlySpan<char> text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (!TryHash(text, hash)) return false;
        var known = _hashes;
        var isPresent = CryptographicOperations.FixedTimeEquals(hash, known.Present);
        if (known.Former is not { } former) return isPresent;
        return isPresent | (CryptographicOperations.FixedTimeEquals(hash, former.Hash) && _time.GetUtcNow() < former.Until);
    }

    /// <summary>Whether this is the token before the present one, valid or not.</summary>
    public bool IsFormer(ReadOnlySpan<char> text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        return TryHash(text, hash) && _hashes.Former is { } former && CryptographicOperations.FixedTimeEquals(hash, former.Hash);
    }

    /// <summary>
    /// Makes a new token and keeps it in place of the present one, which is valid until then. Null when another call has replaced it
    /// meanwhile. Only where there is a <see cref="File"/>. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>;
    /// then the present token stays.
    /// </summary>
    public string? Rotate(ReadOnlySpan<char> present, DateTimeOffset until)
    {
        var path = File ?? throw new InvalidOperationException("A token that was given as a setting is not kept here.");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        lock (_rotations)
        {
            if (!TryHash(present, hash) || !CryptographicOperations.FixedTimeEquals(hash, _hashes.Present)) return null;
            var made = NewValue();

            // In this order a crash in between leaves the present token valid.
            var former = new Former(_hashes.Present, until);
            Keep($"{Convert.ToHexString(former.Hash)} {until.ToUnixTimeMilliseconds()}", path + FormerSuffix);
            Keep(made, path);
            _hashes = new Hashes(HashOf(made), former);
            return made;
        }
    }

    private static string NewValue() => Prefix + RandomNumberGenerator.GetString(Alphabet, SecretLength);

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private static bool TryHash(ReadOnlySpan<char> text, Span<byte> hash)
    {
        Span<byte> utf8 = stackalloc byte[1024];
        return Encoding.UTF8.TryGetBytes(text, utf8, out var length) && SHA256.TryHashData(utf8[..length], hash, out _);
    }

    private static string? ReadKept(string path)
    {
        if (!System.IO.File.Exists(path)) return null;
        if (!OperatingSystem.IsWindows()) System.IO.File.SetUnixFileMode(path, OwnerOnly);

        // A file cut short (power lost while it was first written) was never shown in full; it is made anew.
        var text = System.IO.File.ReadAllText(path).Trim();
        return text.Length >= Prefix.Length + SecretLength ? text : null;
    }

    /// <summary>The hash of the token before and until when it is valid; null when there is none or the line cannot be read.</summary>
    private static Former? ReadFormer(string path)
    {
        if (!System.IO.File.Exists(path)) return null;
        string[] parts = System.IO.File.ReadAllText(path).Trim().Split(' ');
        return parts is [{ Length: SHA256.HashSizeInBytes * 2 } hash, var until] && !hash.AsSpan().ContainsAnyExcept(HexDigits)
            && long.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? new Former(Convert.FromHexString(hash), DateTimeOffset.FromUnixTimeMilliseconds(milliseconds))
            : null;
    }

    /// <summary>Writes a file of one line, whole or not at all.</summary>
    private static void Keep(string line, string path)
    {
        var unfinished = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        System.IO.File.Delete(unfinished);
        using (var file = new FileStream(unfinished, options))
        {
            file.Write(Encoding.ASCII.GetBytes(line + "\n"));
            file.Flush();
            DurableFile.SyncData(file.SafeFileHandle);
        }

        DurableFile.Rename(unfinished, path);
        DurableFile.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private sealed record Former(byte[] Hash, DateTimeOffset Until);

    private sealed record Hashes(byte[] Present, Former? Former);
}
