using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Tests.Unit.Delivery;

/// <summary>
/// Lanes that were sent away because their organization had its share: each gets its turn with the next place that comes back.
/// </summary>
public sealed class TurnsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly QueueingHost _host = new();
    private readonly List<Try> _running = [];

    [Fact]
    public void A_lane_that_was_sent_away_gets_the_next_place_that_its_organization_returns()
    {
        var options = new DeliveryOptions { MaxInFlight = 8, MaxInFlightPerEndpoint = 2 }; // a share of 6
        var turns = NewTurns(options);
        var busy = NewLanes(3, options, slow: false);
        var late = NewLanes(1, options, slow: false)[0];
        Enqueue(turns, [.. busy]);
        Assert.Equal(6, turns.InUse);
        Enqueue(turns, late);
        Assert.DoesNotContain(_running, one => one.Lane == late);

        EndOldest();

        Assert.Contains(_running, one => one.Lane == late);
        Assert.Equal(6, turns.InUse);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void All_endpoints_of_one_organization_take_turns(bool slow)
    {
        var options = new DeliveryOptions { MaxInFlight = 8, MaxSlowInFlight = 8, MaxInFlightPerEndpoint = 2 };
        var turns = NewTurns(options);
        var lanes = NewLanes(50, options, slow);
        Enqueue(turns, lanes);

        var tried = new HashSet<Lane>();
        for (var i = 0; i < 110; i++)
        {
            tried.UnionWith(_running.Select(one => one.Lane));
            EndOldest();
        }

        Assert.Equal(50, tried.Count);
    }

    [Fact]
    public void A_removed_lane_does_not_keep_those_behind_it_waiting()
    {
        var options = new DeliveryOptions { MaxInFlight = 8, MaxInFlightPerEndpoint = 2 };
        var turns = NewTurns(options);
        Enqueue(turns, NewLanes(3, options, slow: false));
        var late = NewLanes(3, options, slow: false);
        Enqueue(turns, late);
        late[0].SetRemoved(true);
        late[1].SetRemoved(true);

        EndOldest();

        Assert.Contains(_running, one => one.Lane == late[2]);
    }

    [Fact]
    public void Those_sent_away_come_back_when_others_have_returned_their_places()
    {
        var options = new DeliveryOptions { MaxInFlight = 8, MaxInFlightPerEndpoint = 2 };
        var turns = NewTurns(options);
        Enqueue(turns, NewLanes(2, options, slow: false, organizationNo: 2, events: 2));
        var lanes = NewLanes(4, options, slow: false);
        Enqueue(turns, lanes);
        Assert.Equal(3, _running.Count(one => one.Lane.Endpoint.OrganizationNo == 1));

        while (_running.Find(one => one.Lane.Endpoint.OrganizationNo == 2) is { } other) End(other);
        Enqueue(turns, lanes);

        Assert.Equal(6, turns.InUse);
        Assert.Equal(6, _running.Count);
    }

    private Turns NewTurns(DeliveryOptions options) => new(options, _host, _time, async (started, place) =>
    {
        var one = new Try(started.Lane, new TaskCompletionSource());
        _running.Add(one);
        await one.Answer.Task;
        _running.Remove(one);
        EndTry(started, place.IsSlow);
    });

    private void Enqueue(Turns turns, params ReadOnlySpan<Lane> lanes)
    {
        foreach (var lane in lanes)
        {
            turns.Enqueue(lane);
            _host.Run();
        }
    }

    private void EndOldest() => End(_running[0]);

    private void End(Try one)
    {
        one.Answer.SetResult();
        _host.Run();
    }

    /// <summary>Lanes that have answered twice, with events that wait.</summary>
    private Lane[] NewLanes(int count, DeliveryOptions options, bool slow, int organizationNo = 1, int events = 200) =>
        [.. Enumerable.Range(0, count).Select(_ => NewLane(options, slow, organizationNo, events))];

    private Lane NewLane(DeliveryOptions options, bool slow, int organizationNo, int events)
    {
        var endpoint = new EndpointRecord
        {
            Id = Guid.NewGuid(),
            OrganizationNo = organizationNo,
            IsDefault = false,
            Url = "http://127.0.0.1:9/",
            Secret = WebhookSecret.Generate(),
            Enabled = true,
            DeliveredThrough = default,
            StartsAfter = default(EventId),
            Filters = EndpointFilters.None,
            CreatedAt = default,
            UpdatedAt = default,
        };
        var lane = new Lane(
            WebhookTarget.Create(endpoint, new AddressGuard(new DeliveryOptions { AllowPrivateNetworks = true })), options, _time);
        Assert.True(lane.TryBeginRead());
        var due = Enumerable.Range(1, events + 2).Select(n => new DueEvent { Id = new EventId((ulong)n, 0), Type = "a", Payload = [] });
        lane.EndRead(new LanePage([.. due], new EventId((ulong)events + 2, 0)));
        for (var i = 0; i < 2; i++) EndTry(lane.TryStart(_time.GetUtcNow())!, slow);
        return lane;
    }

    private static void EndTry(LaneTry started, bool slow)
    {
        started.Lane.Ended(started, new TryResult { Error = DeliveryError.None, At = default, Latency = default }, slow);
        started.Lane.Decided(started, isFinal: true);
        started.Lane.Finish(started);
        started.Lane.Recorded(started);
    }

    private sealed record Try(Lane Lane, TaskCompletionSource Answer);

    /// <summary>Starts loops only when told, so that none runs inside of another's lock.</summary>
    private sealed class QueueingHost : ILoopHost
    {
        private readonly Queue<Func<Task>> _loops = new();

        public Task Run(Func<Task> loop)
        {
            _loops.Enqueue(loop);
            return Task.CompletedTask;
        }

        public IDisposable RunOnThread(string name, Func<TimeSpan?> step, WaitHandle wake) => throw new NotSupportedException();

        public void Run()
        {
            while (_loops.TryDequeue(out var loop)) Assert.False(loop().IsFaulted);
        }
    }
}
