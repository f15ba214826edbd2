using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ZapierTriggers.Load.Core.Http;

/// <summary>
/// Waits until some of a fixed number of sockets can be read (or written). On Linux <c>ppoll</c>: one system call for all, and its
/// timeout is in nanoseconds, which a plan of send times needs; elsewhere <c>Socket.Select</c>.
/// </summary>
internal sealed unsafe partial class ReadySet(int slots)
{
    private const short PollIn = 1;
    private const short PollOut = 4;

    private readonly PollDescriptor[] _descriptors = [.. Enumerable.Repeat(new PollDescriptor { Descriptor = -1 }, slots)];
    private readonly Socket?[] _sockets = new Socket?[slots];
    private readonly int[] _ready = new int[slots];

    /// <summary>
    /// Lets this thread's timed waits end when they are due: by default Linux may end them 50 µs later to save wake-ups
    /// (prctl(2), PR_SET_TIMERSLACK), which would all count as latency.
    /// </summary>
    public static void UseExactTimers()
    {
        const int SetTimerSlack = 29;
        if (OperatingSystem.IsLinux()) _ = ControlProcess(SetTimerSlack, 1, 0, 0, 0);
    }

    /// <summary>The slots found ready by the last <see cref="Wait"/>.</summary>
    public ReadOnlySpan<int> Ready(int count) => _ready.AsSpan(0, count);

    /// <summary>Watches a socket for bytes to read, and for room to write if asked.</summary>
    public void Watch(int slot, Socket socket, bool forWriting = false)
    {
        _sockets[slot] = socket;
        var events = forWriting ? (short)(PollIn | PollOut) : PollIn;
        _descriptors[slot] = new PollDescriptor { Descriptor = (int)socket.Handle, Events = events };
    }

    /// <summary>Stops watching a slot.</summary>
    public void Forget(int slot)
    {
        _sockets[slot] = null;
        _descriptors[slot].Descriptor = -1; // ppoll passes over negative descriptors.
    }

    /// <summary>Waits until a socket is ready or the timeout is over. Returns how many are ready, which may be none.</summary>
    public int Wait(TimeSpan timeout)
    {
        if (timeout < TimeSpan.Zero) timeout = TimeSpan.Zero;
        if (!OperatingSystem.IsLinux()) return Select(timeout);

        var (seconds, rest) = Math.DivRem(timeout.Ticks, TimeSpan.TicksPerSecond);
        var time = new Timespec { Seconds = seconds, Nanoseconds = rest * TimeSpan.NanosecondsPerTick };
        int found;
        fixed (PollDescriptor* descriptors = _descriptors)
        {
            found = Poll(descriptors, (nuint)_descriptors.Length, &time, 0);
        }

        return found > 0 ? Collect(found) : 0;
    }

    private int Collect(int found)
    {
        var count = 0;
        for (var slot = 0; count < found; slot++)
        {
            if (_descriptors[slot].Found != 0) _ready[count++] = slot;
        }

        return count;
    }

    private int Select(TimeSpan timeout)
    {
        var readable = new List<Socket>();
        var writable = new List<Socket>();
        for (var slot = 0; slot < _sockets.Length; slot++)
        {
            if (_sockets[slot] is not { } socket) continue;
            readable.Add(socket);
            if ((_descriptors[slot].Events & PollOut) != 0) writable.Add(socket);
        }

        if (readable.Count == 0)
        {
            Thread.Sleep(timeout);
            return 0;
        }

        Socket.Select(readable, writable, null, timeout);
        var count = 0;
        for (var slot = 0; slot < _sockets.Length; slot++)
        {
            if (_sockets[slot] is { } socket && (readable.Contains(socket) || writable.Contains(socket))) _ready[count++] = slot;
        }

        return count;
    }

    [LibraryImport("libc", EntryPoint = "ppoll")]
    private static partial int Poll(PollDescriptor* descriptors, nuint count, Timespec* timeout, nint signalMask);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ControlProcess(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Found;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
