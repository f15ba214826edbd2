using System.Net;
using System.Net.Sockets;

namespace ZapierTriggers.Core.Limits;

/// <summary>
/// Limits calls by the caller's address, for what anyone may call. An IPv6 caller counts by its /64, which is what one customer gets;
/// IPv4 in IPv6 counts as IPv4. Memory is bounded: when the most addresses are held and none is idle, a new address is refused until one
/// is.
/// </summary>
internal sealed class AddressLimiter(int perMinute, int capacity = 10_000)
{
    // A full table is searched for idle addresses at most this often: a slot's length, because windows empty slot by slot.
    private const long SweepMilliseconds = 5_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, RateWindow> _windows = [];
    private long _nextSweep;

    /// <summary>Takes one call of the address; callers without one (a local socket) count together.</summary>
    public RateDecision TryTake(IPAddress? address, long nowMilliseconds)
    {
        var key = KeyOf(address);
        lock (_lock)
        {
            if (!_windows.TryGetValue(key, out var window))
            {
                if (_windows.Count >= capacity) Sweep(nowMilliseconds);
                if (_windows.Count >= capacity) return new RateDecision(0, perMinute, 0, (int)(SweepMilliseconds / 1000));
                _windows[key] = window = new RateWindow(perMinute);
            }

            return window.TryTake(1, nowMilliseconds);
        }
    }

    private void Sweep(long now)
    {
        if (now < _nextSweep) return;
        _nextSweep = now + SweepMilliseconds;
        foreach (var (key, window) in _windows)
        {
            if (window.IsEmpty(now)) _windows.Remove(key);
        }
    }

    private static UInt128 KeyOf(IPAddress? address)
    {
        if (address is null) return UInt128.Zero;
        if (address.AddressFamily == AddressFamily.InterNetwork) address = address.MapToIPv6();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (!address.IsIPv4MappedToIPv6) bytes[8..].Clear();
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
