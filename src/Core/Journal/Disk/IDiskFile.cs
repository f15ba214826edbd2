namespace ZapierTriggers.Core.Journal.Disk;

/// <summary>A file that is open for reading and writing. What was written survives a power cut only after <see cref="SyncData"/>.</summary>
internal interface IDiskFile : IDisposable
{
    /// <summary>Bytes.</summary>
    long Length { get; }

    /// <summary>Reads into the buffer, maybe less than it holds; 0 at the end of the file.</summary>
    int Read(Span<byte> buffer, long offset);

    /// <summary>Writes all of the bytes, or throws; then any part of them may be there.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Cuts the file, or lengthens it with zeros that have no blocks.</summary>
    void SetLength(long length);

    /// <summary>Reserves real blocks for the first bytes, zeros where nothing was written: a full disk is an error here.</summary>
    void Reserve(long length);

    /// <summary>Makes data and length durable (fdatasync). A failed one is final: no later one proves anything.</summary>
    void SyncData();

    /// <summary>Maps the first bytes into memory. What is stored there outlives the process, and a power cut page by page or not.</summary>
    IMapping Map(long length);
}
