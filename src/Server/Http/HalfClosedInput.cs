using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// A connection's input that tells its end only after its bytes: Kestrel takes a body whose last bytes are read together with the client's
/// end for cut off. The end is kept back as long as the reader takes bytes away; one who cannot go on with those that are left is told.
/// </summary>
internal sealed class HalfClosedInput(PipeReader inner) : PipeReader
{
    private long _keptBackAt = -1; // bytes that were left when the end was last kept back

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        KeepBack(await inner.ReadAsync(cancellationToken));

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result)) return false;
        result = KeepBack(result);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    private ReadResult KeepBack(in ReadResult result)
    {
        if (!result.IsCompleted) return result;
        var left = result.Buffer.Length;
        if (left == 0 || left == _keptBackAt) return result;
        _keptBackAt = left;
        return new ReadResult(result.Buffer, result.IsCanceled, isCompleted: false);
    }
}
