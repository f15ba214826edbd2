using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// What is kept of an erased event's dedup id for the rest of its 24 hours: the first 16 bytes of SHA-256 over the organization's number (4
/// bytes, little-endian) and the id in UTF-8.
/// </summary>
internal static class ErasedDedup
{
    private const int Length = 16;

    /// <summary>The hash.</summary>
    public static byte[] Hash(int organizationNo, string dedupId)
    {
        var text = new byte[4 + Encoding.UTF8.GetByteCount(dedupId)];
        BinaryPrimitives.WriteInt32LittleEndian(text, organizationNo);
        Encoding.UTF8.GetBytes(dedupId, text.AsSpan(4));
        return SHA256.HashData(text)[..Length];
    }
}
