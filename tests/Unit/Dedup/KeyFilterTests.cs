using ZapierTriggers.Core.Dedup;

namespace ZapierTriggers.Tests.Unit.Dedup;

public sealed class KeyFilterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(1_000)]
    [InlineData(200_000)]
    public void What_was_added_is_always_held_and_little_else(int capacity)
    {
        var filter = new KeyFilter(capacity);
        for (var i = 0; i < capacity; i++) filter.Add(WindowUnderTest.Key(i));
        Assert.Equal(capacity, filter.Count);
        for (var i = 0; i < capacity; i++) Assert.True(filter.MayHold(WindowUnderTest.Key(i)), $"key {i} is lost");

        // The keys are fixed, so the count is too: a full filter may claim one in 800, a small one's blocks are filled less evenly.
        var wrong = Enumerable.Range(capacity, 100_000).Count(i => filter.MayHold(WindowUnderTest.Key(i)));
        Assert.InRange(wrong, 0, capacity < 1_000 ? 2_000 : 200);
    }

    [Fact]
    public void An_empty_one_holds_nothing_and_its_memory_is_what_is_stated()
    {
        var filter = new KeyFilter(1_000_000);
        Assert.DoesNotContain(Enumerable.Range(0, 10_000), i => filter.MayHold(WindowUnderTest.Key(i)));
        Assert.InRange(filter.Bytes, 2_000_000, 2_000_032);
    }
}
