namespace ZapierTriggers.Core.Events;

/// <summary>
/// What <see cref="EventParser"/> found in a body: places, not copies. Text without escapes is where it was sent; text with escapes is
/// decoded in the scratch buffer that was given to the parser.
/// </summary>
internal struct EventFields
{
    /// <summary>The type: UTF-8, 1 to 255 characters.</summary>
    public FieldText Type;

    /// <summary>The dedup id: UTF-8, at most 255 characters; empty when there is none.</summary>
    public FieldText DedupId;

    /// <summary>The ordering key: UTF-8, at most 255 characters; empty when there is none.</summary>
    public FieldText OrderingKey;

    /// <summary>Where the payload's object begins in the body.</summary>
    public int PayloadOffset;

    /// <summary>Bytes of the payload's object, from its opening to its closing brace.</summary>
    public int PayloadLength;

    /// <summary>
    /// For a 400 "Invalid JSON" the offset in the body of the byte at which it was noticed (the body's length: at its end).
    /// </summary>
    public int ErrorPosition;

    /// <summary>The payload, byte for byte as sent.</summary>
    public readonly ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> body) => body.Slice(PayloadOffset, PayloadLength);
}

/// <summary>Where a text field's UTF-8 is.</summary>
/// <param name="Offset">Offset in the body, or in the scratch buffer.</param>
/// <param name="Length">Bytes; 0 = no such field.</param>
/// <param name="InScratch">Whether it is in the scratch buffer, because it was sent with escapes.</param>
internal readonly record struct FieldText(int Offset, int Length, bool InScratch)
{
    /// <summary>The field's UTF-8, from the same two buffers that were parsed.</summary>
    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> body, ReadOnlySpan<byte> scratch) => (InScratch ? scratch : body).Slice(Offset, Length);
}
