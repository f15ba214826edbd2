using Microsoft.AspNetCore.Http;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>What is told of an endpoint that fails for days, under a moved clock.</summary>
public sealed class EndpointWatchTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(20);

    private static readonly DeliveryOptions Hourly = new()
    {
        AllowPrivateNetworks = true,
        RetrySchedule = [.. Enumerable.Repeat(TimeSpan.FromHours(1), 400)],
    };

    [Fact]
    public async Task Failing_is_told_once_and_again_a_day_before_it_is_disabled()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Failing;
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver, Hourly);
        await using var _ = rig;
        var start = rig.Clock.GetUtcNow();
        rig.Store1();

        await rig.RunUntilAsync(() => rig.Told.Count == 3, "all that is told", Step);

        Assert.Equal(["endpoint.failing", "endpoint.failing", "endpoint.disabled"], rig.Told.Select(told => told.Event.Type));
        Assert.Equal(3, rig.Told.Select(told => told.Event.DedupId).Distinct(StringComparer.Ordinal).Count());
        var days = rig.Told.Select(told => (told.At - start).TotalDays).ToList();
        Assert.InRange(days[0], 0, 0.2);
        Assert.InRange(days[1], 4, 4.2);
        Assert.InRange(days[2], 5, 5.2);
        await Poll.UntilAsync(() => !rig.Dispatcher.Find(endpoint.OrganizationNo, endpoint.Id)!.Enabled, "disabled");
        Assert.Equal(EndpointState.Disabled, rig.Dispatcher.HealthOf(endpoint.OrganizationNo, endpoint.Id)!.State);
    }

    [Fact]
    public async Task Time_in_which_nothing_was_tried_does_not_disable()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Failing;
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver, Hourly);
        rig.Store1();
        await rig.RunUntilAsync(() => rig.Told.Count == 1, "that it fails", Step);
        await Poll.UntilAsync(
            () =>
                rig.Store.Endpoints.Single().FailingSince is not null
                    && rig.Store.Endpoints.Single().FailingToldAt is not null, "that it is remembered");

        receiver.Answer = (_, _) => Task.CompletedTask;
        await rig.Dispatcher.DisposeAsync();
        rig.Clock.Advance(TimeSpan.FromDays(30)); // switched off meanwhile
        await using var again = await rig.RestartAsync();
        await again.RunUntilAsync(() => again.Told.Count == 1, "that it works again", TimeSpan.FromSeconds(10));

        Assert.Equal("endpoint.recovered", again.Told.Single().Event.Type);
        Assert.True(again.Dispatcher.Find(endpoint.OrganizationNo, endpoint.Id)!.Enabled);
        Assert.Null(again.Store.Endpoints.Single().FailingSince);
    }

    [Fact]
    public async Task What_is_not_taken_is_told_again()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Failing;
        var (rig, _) = await DeliveryRig.StartAsync(receiver, Hourly);
        await using var disposed = rig;
        rig.TakesTold = false;
        rig.Store1();
        await rig.RunUntilAsync(() => receiver.Requests.Count == 3, "three tries", Step);
        Assert.Empty(rig.Told);

        rig.TakesTold = true;
        await rig.RunUntilAsync(() => rig.Told.Count == 1, "that it fails", TimeSpan.FromSeconds(1));
    }

    private static Task Failing(HttpContext context, Received received)
    {
        context.Response.StatusCode = 500;
        return Task.CompletedTask;
    }
}
