using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Tests.Unit.Sequencing;

public sealed class WakeSignalTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly WakeSignal _signal = new();

    [Fact]
    public async Task A_wake_up_before_the_wait_is_kept_and_many_are_one()
    {
        _signal.Set();
        _signal.Set();
        await _signal.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System);
        var second = _signal.WaitAsync(Timeout.InfiniteTimeSpan, TimeProvider.System).AsTask();
        Assert.False(second.IsCompleted);
        _signal.Set();
        await second.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_wake_up_after_a_time_out_is_kept_for_the_next_wait()
    {
        var time = new FakeTimeProvider();
        var wait = _signal.WaitAsync(TimeSpan.FromSeconds(1), time).AsTask();
        time.Advance(TimeSpan.FromSeconds(1));
        await wait.WaitAsync(Patience);
        _signal.Set(); // while the loop works
        await _signal.WaitAsync(Timeout.InfiniteTimeSpan, time).AsTask().WaitAsync(Patience);
    }

    [Fact]
    public async Task No_wake_up_is_lost_next_to_time_outs()
    {
        const int Items = 20_000;
        var (made, taken) = (0, 0);
        var consumer = Task.Run(async () =>
        {
            while (taken < Items)
            {
                taken = Volatile.Read(ref made);
                var atMost = taken % 3 == 0 ? TimeSpan.FromTicks(1) : Timeout.InfiniteTimeSpan;
                if (taken < Items) await _signal.WaitAsync(atMost, TimeProvider.System);
            }
        });
        for (var i = 0; i < Items; i++)
        {
            Volatile.Write(ref made, made + 1);
            _signal.Set();
        }

        await consumer.WaitAsync(Patience);
    }
}
