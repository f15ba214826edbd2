using CsCheck;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Delivery;

/// <summary>
/// Events of one key start one at a time and in order, those of other keys at once; nothing waits for ever and nothing is lost.
/// </summary>
public sealed class KeyOrderTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(5);

    private readonly FakeTimeProvider _time = new();
    private readonly KeyOrder _order;

    public KeyOrderTests() => _order = new KeyOrder(_time, Wait) { IsOrdered = true };

    [Fact]
    public void One_waits_for_the_one_before_it_and_other_keys_do_not()
    {
        Assert.True(Take(1, "a"));
        Assert.False(Take(2, "a"));
        Assert.True(Take(3, "b"));
        Assert.True(Take(4, null));
        Assert.True(Take(5, ""));
        Assert.False(Take(6, "a"));
        Assert.Empty(Ready());

        _order.Ended(Due(1, "a"), isFinal: true);
        Assert.Equal([2], Ready());
        _order.Ended(Due(2, "a"), isFinal: true);
        Assert.Equal([6], Ready());
        Assert.Equal(0, _order.Waiting);
    }

    [Fact]
    public void One_waits_for_one_that_failed_until_that_is_final()
    {
        Take(1, "a");
        Take(2, "a");
        _order.Ended(Due(1, "a"), isFinal: false);
        Assert.Empty(Ready());
        Assert.True(Take(1, "a")); // its own retry does not wait for itself
        Assert.Empty(Ready());
        _order.Ended(Due(1, "a"), isFinal: true);
        Assert.Equal([2], Ready());
    }

    [Fact]
    public void The_wait_for_one_that_fails_is_bounded_and_its_later_failures_do_not_prolong_it()
    {
        Take(1, "a");
        Take(2, "a");
        _order.Ended(Due(1, "a"), isFinal: false);
        _time.Advance(Wait / 2);
        Take(1, "a");
        _order.Ended(Due(1, "a"), isFinal: false);
        _time.Advance(Wait / 2 - TimeSpan.FromMilliseconds(1));
        Assert.False(_order.HasReady);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([2], Ready());
        Assert.False(Take(1, "a")); // still one at a time
        _order.Ended(Due(2, "a"), isFinal: true);
        Assert.Equal([1], Ready());
    }

    [Fact]
    public void A_retry_goes_before_later_events_that_wait()
    {
        Take(1, "a");
        _order.Ended(Due(1, "a"), isFinal: false);
        Assert.False(Take(2, "a"));
        Assert.False(Take(3, "a"));
        Assert.True(Take(1, "a"));
        _order.Ended(Due(1, "a"), isFinal: true);
        Assert.Equal([2], Ready());
    }

    [Fact]
    public void What_failed_before_this_process_is_waited_for()
    {
        _order.HasFailed("a", Id(1));
        Assert.False(Take(2, "a"));
        Assert.True(Take(1, "a"));
        _order.Ended(Due(1, "a"), isFinal: true);
        Assert.Equal([2], Ready());
    }

    [Fact]
    public void What_is_acknowledged_is_neither_sent_nor_waited_for()
    {
        Take(1, "a");
        _order.Ended(Due(1, "a"), isFinal: false);
        Take(2, "a");
        Take(3, "a");
        var dropped = new List<EventId>();
        _order.Drop(new HashSet<EventId> { Id(1), Id(2) }, replaysToo: false, item => dropped.Add(item.Event.Id));
        Assert.Equal([Id(2)], dropped);
        Assert.Equal([3], Ready());
    }

    [Fact]
    public void When_too_much_waits_failures_are_not_waited_for_any_more()
    {
        Take(1, "a");
        _order.Ended(Due(1, "a"), isFinal: false);
        for (var i = 0; i < KeyOrder.MostWaiting; i++) Assert.False(Take(2 + i, "a"));
        Assert.False(_order.HasReady);
        Take(5000, "a");
        Assert.Equal([2], Ready());
        Assert.Empty(Ready()); // one at a time, as before
        _order.Ended(Due(2, "a"), isFinal: true);
        Assert.Equal([3], Ready());
    }

    [Fact]
    public void Without_an_order_nothing_waits_and_what_waited_goes()
    {
        Take(1, "a");
        Take(2, "a");
        Take(3, "a");
        _order.IsOrdered = false;
        Assert.Equal([2, 3], Ready());
        Assert.True(Take(4, "a"));
        _order.IsOrdered = true;
        Assert.False(Take(5, "a"));
        foreach (var id in (int[])[1, 2, 3]) _order.Ended(Due(id, "a"), isFinal: true);
        Assert.Empty(Ready());
        _order.Ended(Due(4, "a"), isFinal: true);
        Assert.Equal([5], Ready());
    }

    [Fact]
    public void Whatever_happens_one_of_a_key_is_in_flight_at_a_time_first_tries_are_in_order_and_all_come() =>
        Gen.Select(Gen.Int[0, 3].Array[1, 40], Gen.Int).Sample((keys, seed) => Run(keys, new Random(seed)), iter: 300);

    private static void Run(int[] keys, Random random)
    {
        var order = new KeyOrder(new FakeTimeProvider(), Wait) { IsOrdered = true };
        var fresh = new Queue<DueEvent>(keys.Select((key, i) => Due(i + 1, key == 0 ? null : $"k{key}")));
        var retries = new List<DueEvent>();
        var flying = new List<DueEvent>();
        var final = new List<DueEvent>();
        while (final.Count < keys.Length)
        {
            if (order.TryTakeReady(out var ready)) flying.Add(ready.Event);
            else if (retries.Count > 0 && random.Next(2) == 0) Begin(retries, random.Next(retries.Count));
            else if (fresh.TryDequeue(out var due) && order.TryTake(new LaneItem(due, null, default))) flying.Add(due);
            Assert.All(flying.Where(one => one.OrderingKey is not null).GroupBy(one => one.OrderingKey), one => Assert.Single(one));
            if (flying.Count == 0 || random.Next(2) == 0) continue;
            var ended = flying[random.Next(flying.Count)];
            flying.Remove(ended);
            var isFinal = random.Next(3) > 0;
            order.Ended(ended, isFinal);
            (isFinal ? final : retries).Add(ended);
        }

        foreach (var one in final.Where(one => one.OrderingKey is not null).GroupBy(one => one.OrderingKey))
            Assert.Equal(one.Select(due => due.Id).Order(), one.Select(due => due.Id));

        void Begin(List<DueEvent> from, int index)
        {
            var due = from[index];
            from.RemoveAt(index);
            if (order.TryTake(new LaneItem(due, null, default))) flying.Add(due);
        }
    }

    private bool Take(int id, string? key) => _order.TryTake(new LaneItem(Due(id, key), null, default));

    private List<int> Ready()
    {
        var ready = new List<int>();
        while (_order.TryTakeReady(out var item)) ready.Add((int)item.Event.Id.Low);
        return ready;
    }

    private static EventId Id(int id) => new(1, (ulong)id);

    private static DueEvent Due(int id, string? key) => new() { Id = Id(id), Type = "t", Payload = [], OrderingKey = key };
}
