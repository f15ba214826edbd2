using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Webhooks;

public sealed class DispatcherTests
{
    [Fact]
    public async Task Events_are_delivered_in_their_order_and_the_cursor_follows()
    {
        await using var receiver = await Receiver.StartAsync();
        var (rig, endpoint) = await DeliveryRig.StartAsync(
            receiver, new DeliveryOptions { AllowPrivateNetworks = true, MaxInFlightPerEndpoint = 1 });
        await using var _ = rig;

        var ids = Enumerable.Range(0, 100).Select(n => rig.Store1()).ToList();
        await rig.RunUntilAsync(() => rig.Store.Endpoint(endpoint.Id).DeliveredThrough == ids[^1], "all delivered");

        Assert.Equal(ids.Select(id => id.ToString()), receiver.Requests.Select(request => request.Id));
        Assert.All(ids, id => Assert.Equal(EventStatus.Delivered, rig.Store.StatusOf(endpoint.Id, id)));
        Assert.Equal(100, rig.Dispatcher.Counters.Delivered);
        Assert.Empty(rig.Store.Violations);
    }

    [Fact]
    public async Task A_receiver_that_always_refuses_gets_exactly_the_tries_of_the_schedule()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(403);
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        await using var _ = rig;

        var id = rig.Store1();
        await rig.RunUntilAsync(
            () => rig.Store.StatusOf(endpoint.Id, id) == EventStatus.DeadLetter, "the dead letter", TimeSpan.FromMinutes(1));
        await rig.RunUntilAsync(
            () => rig.Clock.GetUtcNow() > new DateTimeOffset(2026, 1, 4, 0, 0, 0, TimeSpan.Zero), "two more days", TimeSpan.FromHours(1));

        Assert.Equal(9, receiver.CountOf(id.ToString()));
        var attempts = rig.Store.AttemptsOf(endpoint.Id, id);
        Assert.Equal(Enumerable.Range(1, 9), attempts.Select(attempt => attempt.Number));
        Assert.All(attempts, attempt => Assert.Equal(403, attempt.ResponseStatus));
        for (var i = 1; i < attempts.Count; i++) Assert.True(attempts[i].At - attempts[i - 1].At >= rig.Options.RetrySchedule[i - 1]);
        Assert.Equal((1, 9), (rig.Dispatcher.Counters.DeadLetters, rig.Dispatcher.Counters.FailedAttempts));
    }

    [Fact]
    public async Task Failures_are_tried_again_under_the_same_id_until_one_succeeds()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, received) =>
        {
            context.Response.StatusCode = receiver.CountOf(received.Id) < 3 ? 500 : 200;
            return Task.CompletedTask;
        };
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        await using var _ = rig;

        var ids = Enumerable.Range(0, 20).Select(n => rig.Store1()).ToList();
        await rig.RunUntilAsync(() => rig.Store.Count(EventStatus.Delivered) == 20, "all delivered", TimeSpan.FromSeconds(1));

        Assert.All(ids, id => Assert.Equal(3, receiver.CountOf(id.ToString())));
        Assert.All(ids, id => Assert.Equal(
            [500, 500, 200], rig.Store.AttemptsOf(endpoint.Id, id).Select(attempt => attempt.ResponseStatus!.Value)));
        Assert.Empty(rig.Store.Violations);
    }

    [Fact]
    public async Task An_acknowledged_event_is_not_sent_and_the_cursor_passes_it()
    {
        await using var receiver = await Receiver.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = (_, _) => release.Task;
        var (rig, endpoint) = await DeliveryRig.StartAsync(
            receiver, new DeliveryOptions { AllowPrivateNetworks = true, MaxInFlightPerEndpoint = 1 });
        await using var _ = rig;

        var ids = Enumerable.Range(0, 3).Select(n => rig.Store1()).ToList();
        await rig.RunUntilAsync(() => receiver.Requests.Count == 1, "the first in flight");
        rig.Store.Acknowledge(ids[1]);
        rig.Dispatcher.Acknowledged(DeliveryRig.Organization, [ids[1]]);
        release.SetResult();
        await rig.RunUntilAsync(() => rig.Store.Endpoint(endpoint.Id).DeliveredThrough == ids[2], "the cursor at the last");

        Assert.Equal([ids[0].ToString(), ids[2].ToString()], receiver.Requests.Select(request => request.Id));
        Assert.Empty(rig.Store.Violations);
    }

    [Fact]
    public async Task An_acknowledged_retry_is_not_sent_again()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(500);
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        await using var _ = rig;

        var id = rig.Store1();
        await rig.RunUntilAsync(() => rig.Store.StatusOf(endpoint.Id, id) == EventStatus.Failed, "the failure");
        rig.Store.Acknowledge(id);
        rig.Dispatcher.Acknowledged(DeliveryRig.Organization, [id]);
        var end = rig.Clock.GetUtcNow() + TimeSpan.FromDays(2);
        await rig.RunUntilAsync(() => rig.Clock.GetUtcNow() > end, "two days", TimeSpan.FromMinutes(10));

        Assert.Single(receiver.Requests);
    }

    [Fact]
    public async Task Gone_disables_and_holds_until_a_url_is_set_again()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = Status(410);
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        await using var _ = rig;

        var first = rig.Store1();
        await rig.RunUntilAsync(
            () => rig.Store.StatusOf(endpoint.Id, first) == EventStatus.Failed && !rig.Store.Endpoint(endpoint.Id).Enabled, "disabled");
        var second = rig.Store1();
        var end = rig.Clock.GetUtcNow() + TimeSpan.FromHours(3);
        await rig.RunUntilAsync(() => rig.Clock.GetUtcNow() > end, "three hours", TimeSpan.FromMinutes(10));
        Assert.Single(receiver.Requests);
        Assert.Contains("410", rig.Store.Endpoint(endpoint.Id).DisabledReason, StringComparison.Ordinal);

        receiver.Answer = Status(200);
        var again = await rig.Dispatcher.SetDefaultAsync(DeliveryRig.Organization, receiver.Url + "2", 0, CancellationToken.None);
        await rig.RunUntilAsync(() => rig.Store.Count(EventStatus.Delivered) == 2, "both delivered", TimeSpan.FromSeconds(1));

        Assert.Equal((endpoint.Id, endpoint.Secret, true), (again.Id, again.Secret, again.Enabled));
        Assert.Equal(EventStatus.Delivered, rig.Store.StatusOf(endpoint.Id, second));
        Assert.All(receiver.Requests.Skip(1), request => Assert.Equal("/hook2", request.Path));
    }

    [Fact]
    public async Task Retry_after_pauses_the_endpoint()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "3600";
            return Task.CompletedTask;
        };
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        await using var _ = rig;

        var first = rig.Store1();
        await rig.RunUntilAsync(() => rig.Store.StatusOf(endpoint.Id, first) == EventStatus.Failed, "the failure");
        rig.Store1();
        var end = rig.Clock.GetUtcNow() + TimeSpan.FromMinutes(59);
        await rig.RunUntilAsync(() => rig.Clock.GetUtcNow() > end, "59 minutes", TimeSpan.FromSeconds(10));
        Assert.Single(receiver.Requests);

        receiver.Answer = Status(200);
        await rig.RunUntilAsync(() => rig.Store.Count(EventStatus.Delivered) == 2, "both delivered", TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task An_address_blocked_later_is_a_dead_letter_at_once_without_a_try()
    {
        await using var receiver = await Receiver.StartAsync();
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        await using var next = await rig.RestartAsync(new DeliveryOptions());

        var id = next.Store1();
        await next.RunUntilAsync(() => next.Store.StatusOf(endpoint.Id, id) == EventStatus.DeadLetter, "the dead letter");

        var result = Assert.Single(next.Store.Results);
        Assert.Null(result.Attempt);
        Assert.Contains("private", result.Reason, StringComparison.Ordinal);
        Assert.Empty(receiver.Requests);
    }

    [Fact]
    public async Task Switched_off_holds_and_switched_on_sends()
    {
        await using var receiver = await Receiver.StartAsync();
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver, new DeliveryOptions { AllowPrivateNetworks = true, Enabled = false });
        var id = rig.Store1();
        Assert.Equal(receiver.Url, rig.Dispatcher.DefaultUrl(DeliveryRig.Organization));
        Assert.Null(rig.Dispatcher.DefaultUrl(1));

        await using var next = await rig.RestartAsync(new DeliveryOptions { AllowPrivateNetworks = true });
        await next.RunUntilAsync(() => next.Store.StatusOf(endpoint.Id, id) == EventStatus.Delivered, "delivered");
        Assert.Single(receiver.Requests);
    }

    private static Func<Microsoft.AspNetCore.Http.HttpContext, Received, Task> Status(int status) => (context, _) =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };
}
