using CsCheck;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class LaneWindowTests
{
    private static EventId Id(int n) => new((ulong)n, 0);

    [Fact]
    public void The_cursor_is_the_end_of_the_finished_ones_without_a_gap()
    {
        Gen.Int[1, 60].SelectMany(count => Gen.Shuffle(Enumerable.Range(1, count).ToArray())).Sample(order =>
        {
            var window = new LaneWindow(Id(0));
            for (var i = 1; i <= order.Length; i++) window.Add(Id(i));
            var finished = new HashSet<int>();
            foreach (var n in order)
            {
                window.Finish(Id(n));
                finished.Add(n);
                var contiguous = Enumerable.Range(1, order.Length).TakeWhile(finished.Contains).LastOrDefault();
                Assert.Equal(Id(contiguous), window.Cursor);
            }

            Assert.Equal(0, window.Count);
        });
    }

    [Fact]
    public void An_empty_window_is_where_it_has_read_to()
    {
        var window = new LaneWindow(Id(3));
        window.ScannedThrough(Id(9));
        Assert.Equal(Id(9), window.Cursor);

        window.Add(Id(10));
        window.ScannedThrough(Id(20));
        Assert.Equal(Id(3), window.Cursor);

        window.Finish(Id(10));
        Assert.Equal(Id(20), window.Cursor);
    }
}
