using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class GoneEventsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Erased_events_are_gone_and_no_others()
    {
        var gone = new GoneEvents(_time);
        Assert.False(gone.Contains(1, new EventId(1, 1)));

        gone.Add(1, [new EventId(1, 1)]);

        Assert.True(gone.Contains(1, new EventId(1, 1)));
        Assert.False(gone.Contains(2, new EventId(1, 1)));
        Assert.False(gone.Contains(1, new EventId(1, 2)));
    }

    [Fact]
    public void What_has_expired_is_gone_up_to_there_for_good()
    {
        var gone = new GoneEvents(_time);
        gone.AddThrough(1, new EventId(5, 0));
        gone.AddThrough(1, new EventId(3, 0));
        _time.Advance(TimeSpan.FromDays(1));
        gone.Add(1, []);

        Assert.True(gone.Contains(1, new EventId(4, 9)));
        Assert.False(gone.Contains(1, new EventId(5, 1)));
    }

    [Fact]
    public void It_forgets_what_memory_cannot_hold_any_more()
    {
        var gone = new GoneEvents(_time);
        gone.Add(1, [new EventId(1, 1)]);
        _time.Advance(TimeSpan.FromMinutes(61));
        gone.Add(1, [new EventId(2, 2)]);

        Assert.False(gone.Contains(1, new EventId(1, 1)));
        Assert.True(gone.Contains(1, new EventId(2, 2)));
    }
}
