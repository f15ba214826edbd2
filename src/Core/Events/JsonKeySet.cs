using System.Buffers;
using System.IO.Hashing;
using System.Security.Cryptography;

namespace ZapierTriggers.Core.Events;

/// <summary>
/// Tells whether a name was seen before, in constant time however many there are (a body can hold 40,000), without allocating: an
/// open-addressing table of 128-bit hashes in a pooled array. The hash is seeded per process, so nobody can choose names that crowd one
/// place. Two different names with the same hash would count as twins; with 40,000 names that happens once in 10^29 bodies.
/// </summary>
internal ref struct JsonKeySet
{
    private const int InitialSize = 32;
    private static readonly long Seed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    private UInt128[]? _table; // 0 = free
    private int _mask;
    private int _count;

    /// <summary>Adds a name, unescaped; false when it is there already.</summary>
    public bool Add(ReadOnlySpan<byte> name)
    {
        if (_table is null) Rent(InitialSize);
        else if (_count * 2 > _mask) Grow();
        if (!Insert(UInt128.Max(XxHash128.HashToUInt128(name, Seed), UInt128.One))) return false;
        _count++;
        return true;
    }

    /// <summary>Gives the pooled array back; the set is empty afterwards.</summary>
    public void Return()
    {
        if (_table is not null) ArrayPool<UInt128>.Shared.Return(_table);
        this = default;
    }

    private readonly bool Insert(UInt128 hash)
    {
        var at = (int)(uint)(ulong)hash & _mask;
        while (_table![at] != UInt128.Zero)
        {
            if (_table[at] == hash) return false;
            at = (at + 1) & _mask;
        }

        _table[at] = hash;
        return true;
    }

    private void Grow()
    {
        var old = _table!;
        var size = _mask + 1;
        Rent(size * 2);
        foreach (var hash in old.AsSpan(0, size))
        {
            if (hash != UInt128.Zero) Insert(hash);
        }

        ArrayPool<UInt128>.Shared.Return(old);
    }

    private void Rent(int size)
    {
        _table = ArrayPool<UInt128>.Shared.Rent(size);
        _table.AsSpan(0, size).Clear();
        _mask = size - 1;
    }
}
