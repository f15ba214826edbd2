using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Receiving;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>
/// No endpoint pays for another one. Counts and order only; the clock is the test's, so a deadline passes only when it is moved.
/// </summary>
public sealed class IsolationTests
{
    private const int FirstBad = 1000;
    private static readonly DeliveryOptions Options = new() { AllowPrivateNetworks = true };

    [Fact]
    public async Task One_healthy_endpoint_gets_its_2000_events_while_50_hang_and_10_fail()
    {
        using var hanging = new FastReceiver(Manner.Hangs, connections: 1024);
        using var failing = new FastReceiver(Manner.Fails);
        using var healthy = new FastReceiver();
        await using var rig = await StartAsync();
        await AddAsync(rig, FirstBad, 50, hanging, eventsEach: 20);
        await AddAsync(rig, FirstBad + 50, 10, failing, eventsEach: 20);
        // The other 139 of 200 have something to do as well.
        var others = await AddAsync(rig, FirstBad + 60, 139, healthy, eventsEach: 5);
        var (endpoint, ids) = await AddOneAsync(rig, DeliveryRig.Organization, healthy, 2000);

        await rig.RunUntilAsync(() => rig.Store.Count(EventStatus.Delivered) == 2000 + others.Count * 5, "the healthy ones are served");

        Assert.Equal(ids[^1], rig.Store.Endpoint(endpoint.Id).DeliveredThrough);
        Assert.Equal(2000 + others.Count * 5, healthy.TakeArrivals().Select(arrival => arrival.Delivery.EventId).Distinct().Count());
        AssertStillHanging(rig);
        Assert.InRange(hanging.MostOpen, 1, 50 * InFlightLimit.Initial);
        Assert.Empty(rig.Store.Violations);
    }

    [Fact]
    public async Task A_thousand_hanging_endpoints_of_others_cost_neither_the_events_of_one_nor_sockets_nor_memory_without_end()
    {
        const int Bad = 1000;
        const int EventsEach = 40;
        using var hanging = new FastReceiver(Manner.Hangs, connections: 4096);
        using var healthy = new FastReceiver();
        await using var rig = await StartAsync();
        await AddAsync(rig, FirstBad, Bad, hanging, EventsEach);
        await rig.RunUntilAsync(() => hanging.Taken >= Options.MaxInFlight, "all places hang");
        var (endpoint, ids) = await AddOneAsync(rig, DeliveryRig.Organization, healthy, 2000);

        await rig.RunUntilAsync(() => rig.Store.Endpoint(endpoint.Id).DeliveredThrough == ids[^1], "the healthy one is served");

        AssertStillHanging(rig);
        // Each place is one connection at the most.
        Assert.InRange(hanging.MostOpen, Options.MaxInFlight, Options.MaxInFlight + Options.MaxSlowInFlight);
        // A lane that sends nothing reads one small page and no more.
        Assert.InRange(rig.Store.HandedOut - 2000, Bad, Bad * 16);
    }

    [Fact]
    public async Task Two_thousand_hanging_endpoints_do_not_delay_one_that_answers()
    {
        using var hanging = new FastReceiver(Manner.Hangs, connections: 4096);
        using var healthy = new FastReceiver();
        await using var rig = await StartAsync();
        var (endpoint, _) = await AddOneAsync(rig, DeliveryRig.Organization, healthy, 1);
        await rig.RunUntilAsync(() => rig.Store.Count(EventStatus.Delivered) == 1, "it is known to answer");
        await AddAsync(rig, FirstBad, 2000, hanging, eventsEach: 1);
        await rig.RunUntilAsync(
            () => hanging.Taken > Options.MaxSlowInFlight + (Options.MaxInFlight / 2), "they hold all places that they may");

        var ids = Enumerable.Range(0, 500).Select(_ => rig.Store1()).ToList();
        await rig.RunUntilAsync(() => rig.Store.Endpoint(endpoint.Id).DeliveredThrough == ids[^1], "the healthy one is served");

        AssertStillHanging(rig);
        Assert.InRange(hanging.MostOpen, Options.MaxSlowInFlight, Options.MaxInFlight + Options.MaxSlowInFlight);
    }

    [Fact]
    public async Task Two_thousand_hanging_endpoints_of_forty_organizations_leave_places_for_one_that_is_new()
    {
        using var hanging = new FastReceiver(Manner.Hangs, connections: 4096);
        using var healthy = new FastReceiver();
        await using var rig = await StartAsync();
        for (var n = 0; n < 2000; n++)
        {
            var made = Storage.DeliveryScene.NewEndpoint(FirstBad + (n / 50)) with { Url = hanging.Url.ToString() };
            await rig.Dispatcher.CreateAsync(made, "test", CancellationToken.None);
        }

        for (var n = 0; n < 40; n++) rig.Store1(organizationNo: FirstBad + n);
        await rig.RunUntilAsync(() => hanging.Taken > Options.MaxSlowInFlight * 9 / 10, "they hold what they may");
        var (endpoint, ids) = await AddOneAsync(rig, DeliveryRig.Organization, healthy, 500);
        await rig.RunUntilAsync(() => rig.Store.Endpoint(endpoint.Id).DeliveredThrough == ids[^1], "the healthy one is served");

        AssertStillHanging(rig);
        Assert.InRange(rig.Dispatcher.InFlight, 1, Options.MaxInFlight + Options.MaxSlowInFlight - 1);
    }

    [Fact]
    public async Task Twenty_thousand_waiting_events_do_not_keep_back_the_200_of_another()
    {
        using var large = new FastReceiver();
        using var small = new FastReceiver();
        // Few places, so that the two really share them.
        await using var rig = await StartAsync(Options with { MaxInFlight = 8 });
        await AddOneAsync(rig, FirstBad, large, 20_000);
        await rig.RunUntilAsync(() => large.Count > 1000, "the large one is under way");
        var before = large.Taken;
        var (endpoint, ids) = await AddOneAsync(rig, DeliveryRig.Organization, small, 200);
        await rig.RunUntilAsync(() => rig.Store.Endpoint(endpoint.Id).DeliveredThrough == ids[^1], "the small one is served");

        // Turn by turn the large one got about as many as the small one; far more only while that one's events were read.
        Assert.InRange(large.Taken - before, 0, 5000);
        Assert.Equal(
            ids.Select(id => id.ToString()).Order(), small.TakeArrivals().Select(arrival => arrival.Delivery.EventId.ToString()).Order());
    }

    private static async Task<DeliveryRig> StartAsync(DeliveryOptions? options = null)
    {
        var rig = new DeliveryRig(options ?? Options);
        await rig.Dispatcher.StartAsync(CancellationToken.None);
        return rig;
    }

    /// <summary>No try at a hanging receiver has ended: each would be the end of its deadline.</summary>
    private static void AssertStillHanging(DeliveryRig rig) =>
        Assert.DoesNotContain(rig.Store.Results, result => result.Status == EventStatus.Failed && result.Attempt!.ResponseStatus is null);

    private static async Task<List<EndpointRecord>> AddAsync(DeliveryRig rig, int first, int count, FastReceiver receiver, int eventsEach)
    {
        var endpoints = new List<EndpointRecord>();
        for (var organizationNo = first; organizationNo < first + count; organizationNo++) endpoints.Add(
            (await AddOneAsync(rig, organizationNo, receiver, eventsEach)).Endpoint);
        return endpoints;
    }

    private static async Task<(EndpointRecord Endpoint, List<EventId> Ids)> AddOneAsync(
        DeliveryRig rig, int organizationNo, FastReceiver receiver, int events)
    {
        var endpoint = await rig.Dispatcher.SetDefaultAsync(organizationNo, receiver.Url.ToString(), 0, CancellationToken.None);
        return (endpoint, Enumerable.Range(0, events).Select(_ => rig.Store1(organizationNo: organizationNo)).ToList());
    }
}
