using Microsoft.Win32.SafeHandles;

namespace ZapierTriggers.Core.Journal.Disk;

/// <summary>A file of the operating system's. Others of this process may have it open too, and it may lose its name meanwhile.</summary>
internal sealed class SystemFile(string path, FileMode mode) : IDiskFile
{
    private readonly SafeFileHandle _handle = File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <inheritdoc/>
    public long Length => RandomAccess.GetLength(_handle);

    /// <inheritdoc/>
    public int Read(Span<byte> buffer, long offset) => RandomAccess.Read(_handle, buffer, offset);

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(_handle, bytes, offset);

    /// <inheritdoc/>
    public void SetLength(long length) => RandomAccess.SetLength(_handle, length);

    /// <inheritdoc/>
    public void Reserve(long length) => DurableFile.Reserve(_handle, length);

    /// <inheritdoc/>
    public void SyncData() => DurableFile.SyncData(_handle);

    /// <inheritdoc/>
    public IMapping Map(long length) => new SystemMapping(_handle, length);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
