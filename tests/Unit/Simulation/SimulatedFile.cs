using ZapierTriggers.Core.Journal.Disk;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>An open file of one process.</summary>
internal sealed class SimulatedFile(Life life, Device device, Inode inode, string path) : IDiskFile
{
    /// <inheritdoc/>
    public long Length => inode.Length;

    /// <inheritdoc/>
    public int Read(Span<byte> buffer, long offset) => inode.Read(buffer, offset);

    /// <inheritdoc/>
    public unsafe void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        // A span cannot be captured; the caller's memory stays where it is until this returns.
        fixed (byte* first = bytes)
        {
            var (address, length) = ((nint)first, bytes.Length);
            if (life.Fails(FaultKind.Write))
            {
                WritePart(address, length, offset);
                throw new IOException("Simulated: input/output error.");
            }

            life.Effect("write", path, () => inode.Write(new ReadOnlySpan<byte>((void*)address, length), offset), () => WritePart(address, length, offset));
        }
    }

    /// <inheritdoc/>
    public void SetLength(long length) => life.Effect("cut", path, () => inode.SetLength(length));

    /// <inheritdoc/>
    public void Reserve(long length)
    {
        if (device.IsFull) throw new IOException("Simulated: no space left on device.");
        life.Effect("reserve", path, () => inode.SetLength(Math.Max(inode.Length, length)), () => inode.SetLength(Math.Max(inode.Length, length / 2)));
    }

    /// <inheritdoc/>
    public void SyncData()
    {
        if (life.Fails(FaultKind.Sync))
        {
            inode.FailSync();
            throw new IOException("Simulated: input/output error.");
        }

        life.Effect("sync", path, inode.Sync, inode.WriteBack);
    }

    /// <inheritdoc/>
    public IMapping Map(long length) => new Mapping(inode, length);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private unsafe void WritePart(nint address, int length, long offset) =>
        inode.Write(new ReadOnlySpan<byte>((void*)address, life.Random.Next(length + 1)), offset);

    private sealed unsafe class Mapping(Inode inode, long length) : IMapping
    {
        public byte* Address { get; } = inode.Map(length);

        public void LockWhenUsed()
        {
        }

        public void Dispose()
        {
        }
    }
}
