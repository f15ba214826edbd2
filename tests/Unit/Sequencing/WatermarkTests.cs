using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Tests.Unit.Sequencing;

public sealed class WatermarkTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Watermark _mark = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Waiters_are_told_when_their_position_is_reached_and_not_before()
    {
        var (first, second) = (Wait(10), Wait(20));
        Assert.Equal(2, _mark.Waiting);
        _mark.Advance(9);
        Assert.False(first.IsCompleted);
        _mark.Advance(10);
        Assert.Equal((ReceiptKind.Accepted, new EventId(10, 0)), Parts(await first));
        Assert.False(second.IsCompleted);
        _mark.Advance(25);
        Assert.Equal((ReceiptKind.Accepted, new EventId(20, 0)), Parts(await second));
        Assert.Equal(ReceiptKind.Accepted, (await Wait(25)).Kind);
        Assert.Equal((25UL, 0), (_mark.Position, _mark.Waiting));
    }

    [Fact]
    public async Task It_never_goes_back()
    {
        _mark.Advance(10);
        _mark.Advance(5);
        Assert.Equal(10UL, _mark.Position);
        Assert.True(await _mark.WaitAsync(10, TimeSpan.Zero, _time, default));
    }

    [Fact]
    public async Task After_a_failure_what_was_reached_counts_and_nothing_else_ever_does()
    {
        _mark.Advance(10);
        var waiting = Wait(20);
        var reading = _mark.WaitAsync(20, Patience, _time, default);
        _mark.Fail();
        Assert.Equal(ReceiptKind.Unknown, (await waiting).Kind);
        Assert.False(await reading);
        _mark.Advance(30);
        Assert.Equal((10UL, true), (_mark.Position, _mark.HasFailed));
        Assert.Equal(ReceiptKind.Unknown, (await Wait(20)).Kind);
        Assert.Equal(ReceiptKind.Accepted, (await Wait(10)).Kind);
        Assert.True(await _mark.WaitAsync(10, Patience, _time, default));
        Assert.False(await _mark.WaitAsync(11, Patience, _time, default));
    }

    [Fact]
    public async Task Those_who_waited_too_long_are_told_that_the_outcome_is_unknown()
    {
        var old = Wait(10);
        _time.Advance(TimeSpan.FromSeconds(5));
        var young = Wait(20);
        _mark.Expire(_time.GetTimestamp());
        Assert.Equal(ReceiptKind.Unknown, (await old).Kind);
        Assert.False(young.IsCompleted);
        _mark.Advance(20);
        Assert.Equal(ReceiptKind.Accepted, (await young).Kind);
    }

    [Fact]
    public async Task A_wait_ends_when_its_time_is_over()
    {
        var wait = _mark.WaitAsync(10, TimeSpan.FromSeconds(2), _time, default).AsTask();
        _mark.Advance(5);
        ShardUnderTest.AdvanceUntil(_time, TimeSpan.FromMilliseconds(100), () => wait.IsCompleted);
        Assert.False(await wait);
        Assert.True(_time.GetUtcNow() - _time.Start >= TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_wait_can_be_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        var wait = _mark.WaitAsync(10, Patience, _time, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }

    [Fact]
    public async Task Waiters_from_many_threads_against_advances_are_all_told_once()
    {
        const int Threads = 4;
        const int Each = 2_000;
        var next = 0L;
        var early = 0;
        var advancing = Task.Run(() =>
        {
            while (_mark.Position < Threads * Each)
            {
                _mark.Advance((ulong)Volatile.Read(ref next));
                Thread.Yield();
            }
        });
        var waiting = Enumerable.Range(0, Threads).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
            {
                var position = (ulong)Interlocked.Increment(ref next);
                var receipt = i % 7 == 0
                    ? await _mark.WaitAsync(position, Patience, TimeProvider.System, default) ? ReceiptKind.Accepted : ReceiptKind.Unknown
                    : (await Wait(position)).Kind;
                if (receipt != ReceiptKind.Accepted || _mark.Position < position) Interlocked.Increment(ref early);
            }
        }));
        await Task.WhenAll(waiting).WaitAsync(Patience);
        await advancing.WaitAsync(Patience);
        Assert.Equal((0, 0), (early, _mark.Waiting));
    }

    private Task<Receipt> Wait(ulong position)
    {
        var submission = Submission.Rent(ShardUnderTest.NewOrganization(default), default, default, -1);
        submission.Decide(new Receipt(ReceiptKind.Accepted, new EventId(position, 0), 0));
        var receipt = submission.WaitAsync().AsTask();
        _mark.Wait(position, _time.GetTimestamp(), submission);
        return receipt;
    }

    private static (ReceiptKind, EventId) Parts(Receipt receipt) => (receipt.Kind, receipt.Id);
}
