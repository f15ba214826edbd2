using System.Globalization;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>What an endpoint asks for counts for its own deliveries, under a clock that the test moves.</summary>
public sealed class EndpointSettingsTests
{
    [Fact]
    public async Task In_no_second_more_tries_start_than_the_limit()
    {
        await using var receiver = await Receiver.StartAsync();
        var (rig, endpoint) = await StartAsync(receiver, one => one with { RateLimitPerSecond = 3 });
        await using var _ = rig;
        var begin = rig.Clock.GetUtcNow();

        var ids = Enumerable.Range(0, 12).Select(n => rig.Store1()).ToList();
        await rig.RunUntilAsync(() => rig.Store.Count(EventStatus.Delivered) == ids.Count, "all delivered", TimeSpan.FromMilliseconds(5));

        var starts = rig.Store.Results.Select(result => result.Attempt!.At).Order().ToList();
        for (var i = 3; i < starts.Count; i++) Assert.True(starts[i] - starts[i - 3] >= TimeSpan.FromSeconds(1));
        Assert.True(starts[^1] - begin >= TimeSpan.FromSeconds(3));
        Assert.Equal(ids[^1], rig.Store.Endpoint(endpoint.Id).DeliveredThrough);
    }

    [Fact]
    public async Task An_endpoint_with_a_limit_holds_nobody_else_up()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var other = await Receiver.StartAsync();
        var (rig, _) = await StartAsync(receiver, one => one with { RateLimitPerSecond = 1 });
        await using var __ = rig;
        await CreateAsync(rig, other.Url, one => one);

        for (var i = 0; i < 50; i++) rig.Store1();
        await rig.RunUntilAsync(
            () => other.Requests.Count == 50 && receiver.Requests.Count > 0, "the other has all", TimeSpan.FromMilliseconds(1));

        Assert.InRange(receiver.Requests.Count, 1, 49);
    }

    [Fact]
    public async Task It_has_no_more_in_flight_than_it_asked_for()
    {
        await using var receiver = await Receiver.StartAsync();
        var (most, now, gate) = (0, 0, new Lock());
        receiver.Answer = async (_, _) =>
        {
            lock (gate) most = Math.Max(most, ++now);
            await Task.Yield();
            lock (gate) now--;
        };
        var (rig, _) = await StartAsync(receiver, one => one with { MaxInFlight = 2 });
        await using var __ = rig;

        for (var i = 0; i < 200; i++) rig.Store1();
        await rig.RunUntilAsync(() => rig.Store.Count(EventStatus.Delivered) == 200, "all delivered");

        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public async Task It_is_tried_again_after_its_own_waits()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var (rig, endpoint) = await StartAsync(receiver, one => one with { RetrySchedule = new EqualList<int>(7, 100) });
        await using var _ = rig;

        var id = rig.Store1();
        await rig.RunUntilAsync(
            () => rig.Store.StatusOf(endpoint.Id, id) == EventStatus.DeadLetter, "the dead letter", TimeSpan.FromSeconds(1));

        var attempts = rig.Store.AttemptsOf(endpoint.Id, id);
        Assert.Equal(3, attempts.Count);
        Assert.InRange((attempts[1].At - attempts[0].At).TotalSeconds, 7, 40);
        Assert.InRange((attempts[2].At - attempts[1].At).TotalSeconds, 100, 140);
    }

    [Fact]
    public async Task An_empty_list_of_waits_is_a_single_try()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var (rig, endpoint) = await StartAsync(receiver, one => one with { RetrySchedule = EqualList<int>.Empty });
        await using var _ = rig;

        var id = rig.Store1();
        await rig.RunUntilAsync(() => rig.Store.StatusOf(endpoint.Id, id) == EventStatus.DeadLetter, "the dead letter");

        Assert.Equal(1, receiver.CountOf(id.ToString()));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(30, 10)]
    public async Task Its_deadline_is_its_own_but_never_over_the_one_of_all(int asked, int seconds)
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = receiver.HangAsync;
        var (rig, endpoint) = await StartAsync(
            receiver, one => one with { TimeoutSeconds = asked },
            new DeliveryOptions { AllowPrivateNetworks = true, Timeout = TimeSpan.FromSeconds(10) });
        await using var _ = rig;

        var id = rig.Store1();
        await rig.RunUntilAsync(
            () => rig.Store.AttemptsOf(endpoint.Id, id).Count == 1, "the try has ended", busyStep: TimeSpan.FromMilliseconds(50));

        Assert.InRange(rig.Store.AttemptsOf(endpoint.Id, id)[0].LatencyMilliseconds, seconds * 1000, seconds * 1000 + 500);
    }

    [Fact]
    public async Task The_old_secret_stops_signing_after_a_day()
    {
        await using var receiver = await Receiver.StartAsync();
        var (rig, endpoint) = await StartAsync(receiver, one => one);
        await using var _ = rig;
        await rig.Dispatcher.RotateSecretAsync(DeliveryRig.Organization, endpoint.Id, CancellationToken.None);

        rig.Clock.Advance(EndpointConfiguration.PreviousSecretLives - TimeSpan.FromSeconds(1));
        rig.Store1();
        await rig.RunUntilAsync(
            () => receiver.Requests.Count == 1, "one within the day", TimeSpan.FromMilliseconds(1), TimeSpan.FromTicks(1));
        rig.Clock.Advance(TimeSpan.FromSeconds(1));
        rig.Store1();
        await rig.RunUntilAsync(() => receiver.Requests.Count == 2, "one after it");

        Assert.Equal([2, 1], receiver.Requests.Select(request => request.Headers["webhook-signature"].Split(' ').Length));
        Assert.Equal(endpoint.Secret, rig.Store.Endpoint(endpoint.Id).PreviousSecret);
    }

    [Fact]
    public async Task Changes_count_from_the_next_try()
    {
        await using var before = await Receiver.StartAsync();
        await using var after = await Receiver.StartAsync();
        before.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var (rig, endpoint) = await StartAsync(before, one => one with { RetrySchedule = new EqualList<int>(5) });
        await using var _ = rig;
        var id = rig.Store1();
        await rig.RunUntilAsync(() => rig.Store.StatusOf(endpoint.Id, id) == EventStatus.Failed, "the first try has failed");

        var headers = new EqualList<EndpointHeader>(new EndpointHeader("X-New", "1"));
        await rig.Dispatcher.ChangeAsync(
            DeliveryRig.Organization, endpoint.Id, one => one with { Url = after.Url, Headers = headers }, patterns: null, 0,
            CancellationToken.None);
        await rig.RunUntilAsync(
            () => rig.Store.StatusOf(endpoint.Id, id) == EventStatus.Delivered, "the second", TimeSpan.FromMilliseconds(500));

        Assert.Equal((1, 1), (before.Requests.Count, after.Requests.Count));
        Assert.Equal("1", Assert.Single(after.Requests).Headers["X-New"]);
    }

    [Fact]
    public async Task A_removal_that_the_store_refuses_leaves_the_endpoint_at_work()
    {
        await using var receiver = await Receiver.StartAsync();
        var (rig, endpoint) = await StartAsync(receiver, one => one);
        await using var _ = rig;
        rig.Store.Fails = static call => call == "delete";

        await Assert.ThrowsAsync<ZapierTriggers.Core.Storing.StoreException>(
            () => rig.Dispatcher.RemoveAsync(DeliveryRig.Organization, endpoint.Id, CancellationToken.None));
        rig.Store1();
        await rig.RunUntilAsync(() => receiver.Requests.Count == 1, "it goes on");

        rig.Store.Fails = null;
        Assert.True(await rig.Dispatcher.RemoveAsync(DeliveryRig.Organization, endpoint.Id, CancellationToken.None));
        Assert.False(await rig.Dispatcher.RemoveAsync(DeliveryRig.Organization, endpoint.Id, CancellationToken.None));
        Assert.Empty(rig.Dispatcher.EndpointsOf(DeliveryRig.Organization));
    }

    private static async Task<(DeliveryRig Rig, EndpointRecord Endpoint)> StartAsync(
        Receiver receiver, Func<EndpointRecord, EndpointRecord> change, DeliveryOptions? options = null)
    {
        var rig = new DeliveryRig(options);
        await rig.Dispatcher.StartAsync(CancellationToken.None);
        return (rig, await CreateAsync(rig, receiver.Url, change));
    }

    private static async Task<EndpointRecord> CreateAsync(DeliveryRig rig, string url, Func<EndpointRecord, EndpointRecord> change)
    {
        var place = EndpointConfiguration.LastPlace(0, rig.Clock.GetUtcNow());
        var made = change(new EndpointRecord
        {
            Id = Guid.NewGuid(),
            OrganizationNo = DeliveryRig.Organization,
            IsDefault = false,
            Url = url,
            Secret = WebhookSecret.Generate(),
            Enabled = true,
            DeliveredThrough = place,
            StartsAfter = place,
            CreatedAt = rig.Clock.GetUtcNow(),
            UpdatedAt = rig.Clock.GetUtcNow(),
        });
        return (await rig.Dispatcher.CreateAsync(made, made.Id.ToString("D", CultureInfo.InvariantCulture), CancellationToken.None)).Endpoint!;
    }
}
