using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace ZapierTriggers.Core.Journal.Disk;

/// <summary>A shared mapping of the operating system's.</summary>
internal sealed unsafe class SystemMapping : IMapping
{
    private readonly long _length;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _address;

    /// <summary>Maps the first bytes of a file, which stays the caller's.</summary>
    public SystemMapping(SafeFileHandle file, long length)
    {
        _length = length;
        _map = MemoryMappedFile.CreateFromFile(
            file, null, length, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _address);
    }

    /// <inheritdoc/>
    public byte* Address => _address;

    /// <inheritdoc/>
    public void LockWhenUsed() => DurableFile.LockWhenUsed(_address, _length);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_address is null) return;
        _address = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();

        // First the handle, so that the view does not flush: msync fails on locked pages, and what the file holds must outlive the
        // process, not more.
        _view.SafeMemoryMappedViewHandle.Dispose();
        _view.Dispose();
        _map.Dispose();
    }
}
