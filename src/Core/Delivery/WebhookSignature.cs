using System.Buffers.Text;
using System.Security.Cryptography;

namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// Signs deliveries by Standard Webhooks 1.0.0: <c>v1,</c> and the base64 of HMAC-SHA256 over <c>id.timestamp.body</c>, one for each valid
/// secret, separated by a space. Safe for concurrent use. A body may come in pieces; a keyed hash is kept between calls,
/// because keying one costs more than hashing a small body.
/// </summary>
internal sealed class WebhookSignature
{
    private const string Version = "v1,";
    private const int Base64Length = 44;
    private const int SignatureLength = 3 + Base64Length;

    private readonly byte[][] _keys;
    private IncrementalHash[]? _spare;

    /// <summary>Creates a signer for the secrets' texts; <see cref="ArgumentException"/> when one is none, or there is none.</summary>
    public WebhookSignature(params ReadOnlySpan<string> secrets)
    {
        if (secrets.IsEmpty) throw new ArgumentException("At least one secret is needed.", nameof(secrets));
        _keys = new byte[secrets.Length][];
        for (var i = 0; i < secrets.Length; i++)
        {
            if (!WebhookSecret.TryDecode(secrets[i], out _keys[i]))
                throw new ArgumentException("A secret is whsec_ and the base64 of its key.", nameof(secrets));
        }
    }

    /// <summary>The value of <c>webhook-signature</c>.</summary>
    /// <param name="id">Value of <c>webhook-id</c>.</param>
    /// <param name="unixSeconds">Value of <c>webhook-timestamp</c>.</param>
    /// <param name="head">First piece of the body.</param>
    /// <param name="payload">Second piece of the body.</param>
    /// <param name="tail">Last piece of the body.</param>
    public string Sign(EventId id, long unixSeconds, ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> tail)
    {
        // "<id>." is 37 bytes, the seconds at most 20, and one more dot.
        Span<byte> signed = stackalloc byte[EventId.TextLength + 22];
        id.WriteUtf8(signed);
        signed[EventId.TextLength] = (byte)'.';
        Utf8Formatter.TryFormat(unixSeconds, signed[(EventId.TextLength + 1)..], out var digits);
        signed[EventId.TextLength + 1 + digits] = (byte)'.';
        signed = signed[..(EventId.TextLength + digits + 2)];

        var hashes = Interlocked.Exchange(ref _spare, null) ?? Array.ConvertAll(
            _keys, static key => IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key));
        Span<char> text = stackalloc char[64];
        var length = (SignatureLength + 1) * hashes.Length - 1;
        if (length > text.Length) text = new char[length];
        for (var i = 0; i < hashes.Length; i++)
        {
            if (i > 0) text[i * (SignatureLength + 1) - 1] = ' ';
            Write(hashes[i], signed, head, payload, tail, text.Slice(i * (SignatureLength + 1), SignatureLength));
        }

        // Kept for the next call; of several at the same time one stays and the others are left to their finalizers.
        Volatile.Write(ref _spare, hashes);
        return new string(text[..length]);
    }

    private static void Write(
        IncrementalHash hash, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> tail,
        Span<char> destination)
    {
        hash.AppendData(signed);
        hash.AppendData(head);
        // Each call costs more than hashing 100 bytes, also with none.
        if (!payload.IsEmpty) hash.AppendData(payload);
        if (!tail.IsEmpty) hash.AppendData(tail);
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        hash.GetHashAndReset(mac);
        Version.CopyTo(destination);
        Convert.TryToBase64Chars(mac, destination[Version.Length..], out _);
    }
}
