using CsCheck;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

public sealed class EventIdGeneratorTests
{
    private const long Now = 1_900_000_000_000;

    [Fact]
    public void Ids_increase_whatever_the_clock_does_and_over_restarts() =>
        Gen.Select(Gen.Int[-5_000, 5_000], Gen.Int[1, 6_000], Gen.Bool).Array[1, 30].Sample(
            turns =>
            {
                var generator = new EventIdGenerator(default);
                var last = default(EventId);
                var clock = Now;
                foreach (var (step, count, restart) in turns)
                {
                    clock += step;
                    if (restart) generator = new EventIdGenerator(last);
                    for (var i = 0; i < count; i++)
                    {
                        var next = generator.Next(clock);
                        Assert.True(next > last && next.High > last.High, $"{next} after {last}");
                        Assert.Equal(7UL, (next.High >> 12) & 0xF);
                        Assert.Equal(2UL, next.Low >> 62);
                        Assert.True(next.UnixMilliseconds >= clock);
                        last = next;
                    }
                }
            },
            iter: 50);

    [Fact]
    public void More_than_4096_in_a_millisecond_borrow_the_next_ones()
    {
        var generator = new EventIdGenerator(default);
        for (var i = 0; i < 10_000; i++)
        {
            var id = generator.Next(Now);
            Assert.Equal((Now + (i / 4_096), (ulong)(i % 4_096)), (id.UnixMilliseconds, id.High & 0xFFF));
        }

        Assert.Equal(Now + 3, generator.Next(Now + 3).UnixMilliseconds);
    }

    [Fact]
    public void It_goes_on_behind_an_id_that_is_no_version_7()
    {
        var last = new EventId(((ulong)Now << 16) | 0xFFFF, 0);
        var next = new EventIdGenerator(last).Next(Now);
        Assert.True(next.High > last.High);
        Assert.Equal(7UL, (next.High >> 12) & 0xF);
    }

    [Fact]
    public void Generators_started_alike_do_not_issue_the_same_ids()
    {
        var ids = Enumerable.Range(0, 1_000).Select(_ => new EventIdGenerator(default).Next(Now)).ToHashSet();
        Assert.Equal(1_000, ids.Count);
    }
}
