using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Webhooks;

public sealed class DispatcherFaultTests
{
    [Fact]
    public async Task A_dead_letter_that_cannot_be_told_is_not_recorded_before_it_is()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var (rig, endpoint) = await DeliveryRig.StartAsync(
            receiver, new DeliveryOptions { AllowPrivateNetworks = true, RetrySchedule = [] });
        rig.TakesTold = false;
        var id = rig.Store1();
        await rig.RunUntilAsync(() => receiver.Requests.Count == 1 && rig.Dispatcher.InFlight == 0, "the only try");
        var end = rig.Clock.GetUtcNow().AddMinutes(1);
        await rig.RunUntilAsync(() => rig.Clock.GetUtcNow() > end, "a minute of no answer", busyStep: TimeSpan.FromSeconds(1));
        Assert.Equal((EventStatus.Pending, 0L), (rig.Store.StatusOf(endpoint.Id, id), rig.Dispatcher.Counters.DeadLetters));

        rig.TakesTold = true;
        await rig.RunUntilAsync(
            () => rig.Store.StatusOf(endpoint.Id, id) == EventStatus.DeadLetter, "that it is told", busyStep: TimeSpan.FromSeconds(1));
        Assert.Equal((1, 1L), (rig.Told.Count, rig.Dispatcher.Counters.DeadLetters));

        rig.TakesTold = false;
        var last = rig.Store1();
        await rig.RunUntilAsync(() => receiver.CountOf(last.ToString()) == 1 && rig.Dispatcher.InFlight == 0, "another one");
        await using var again = await rig.RestartAsync();
        await again.RunUntilAsync(() => again.Store.StatusOf(endpoint.Id, last) == EventStatus.DeadLetter, "that a restart tells it");
        Assert.Equal((2, 1), (receiver.CountOf(last.ToString()), again.Told.Count));
        Assert.Empty(again.Store.Violations);
    }

    [Fact]
    public async Task A_change_whose_reply_is_lost_and_that_is_read_back_is_made_once()
    {
        await using var receiver = await Receiver.StartAsync();
        var (model, endpoint) = await DeliveryRig.StartAsync(receiver);
        await model.DisposeAsync();
        var made = endpoint with { IsDefault = false };
        await using var rig = new DeliveryRig();
        await rig.Dispatcher.StartAsync(CancellationToken.None);

        var created = await TwiceAsync(async () => (await rig.Dispatcher.CreateAsync(made, "call", CancellationToken.None)).Endpoint!);
        rig.Store1();
        await rig.RunUntilAsync(() => rig.Store.Count(EventStatus.Delivered) == 1, "delivered");
        Assert.Single(receiver.Requests);

        var rotated = await TwiceAsync(
            async () => (await rig.Dispatcher.RotateSecretAsync(DeliveryRig.Organization, created.Id, CancellationToken.None))!);
        Assert.NotEqual(created.Secret, rotated.Secret);
        Assert.Equal(created.Secret, rotated.PreviousSecret);
        Assert.Equal(rotated.Secret, rig.Store.Endpoint(created.Id).Secret);

        Assert.True(await TwiceAsync(() => rig.Dispatcher.RemoveAsync(DeliveryRig.Organization, created.Id, CancellationToken.None)));
        Assert.Empty(rig.Store.Endpoints);
        Assert.False(await rig.Dispatcher.RemoveAsync(DeliveryRig.Organization, created.Id, CancellationToken.None));

        async Task<T> TwiceAsync<T>(Func<Task<T>> change)
        {
            rig.Store.LosesReply = name => name is "save" or "delete";
            await Assert.ThrowsAsync<StoreException>(change);
            rig.Store.LosesReply = null;
            await rig.Dispatcher.TakeOverAsync([DeliveryRig.Organization], rig.Store.LoadEndpointsAsync, CancellationToken.None);
            return await change();
        }
    }

    [Fact]
    public async Task A_restart_in_the_middle_loses_nothing()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = receiver.Requests.Count % 7 == 0 ? 500 : 200;
            return Task.CompletedTask;
        };
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        var ids = Enumerable.Range(0, 300).Select(n => rig.Store1()).ToList();
        for (var part = 1; part <= 4; part++)
        {
            await rig.RunUntilAsync(() => receiver.Requests.Count > part * 40, "some received");
            rig = await rig.RestartAsync();
        }

        await using var _ = rig;
        await rig.RunUntilAsync(() => rig.Store.Count(EventStatus.Delivered) == ids.Count, "all delivered", TimeSpan.FromSeconds(1));

        Assert.Empty(rig.Store.Violations);
        Assert.Equal(ids[^1], rig.Store.Endpoint(endpoint.Id).DeliveredThrough);
    }

    [Fact]
    public async Task Killed_between_answer_and_record_it_is_sent_again_under_the_same_id()
    {
        await using var receiver = await Receiver.StartAsync();
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        rig.Store.Fails = static call => call == "record";
        var id = rig.Store1();
        await rig.RunUntilAsync(() => receiver.Requests.Count == 1 && rig.Dispatcher.InFlight == 0, "answered, not recorded");

        var restart = rig.RestartAsync();
        await Poll.UntilAsync(() => restart.IsCompleted, "the restart", () => rig.Clock.Advance(TimeSpan.FromSeconds(1)));
        await using var next = await restart;
        next.Store.Fails = null;
        await next.RunUntilAsync(() => next.Store.StatusOf(endpoint.Id, id) == EventStatus.Delivered, "delivered");

        Assert.Equal([id.ToString(), id.ToString()], receiver.Requests.Select(request => request.Id));
    }

    [Fact]
    public async Task Trouble_with_recording_never_sends_twice()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, received) =>
        {
            context.Response.StatusCode = receiver.CountOf(received.Id) < 2 ? 500 : 200;
            return Task.CompletedTask;
        };
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        await using var _ = rig;
        var ids = Enumerable.Range(0, 10).Select(n => rig.Store1()).ToList();
        await rig.RunUntilAsync(() => rig.Store.Results.Count == 10, "all failed once");

        // Second tries succeed while nothing can be recorded, and their claims run out meanwhile. (The first refusal also ends the
        // claiming, so not all of the ten need come that far.)
        rig.Store.Fails = static call => call == "record";
        await rig.RunUntilAsync(() => receiver.Requests.Count > 10, "some answered a second time", TimeSpan.FromSeconds(1));
        var end = rig.Clock.GetUtcNow() + TimeSpan.FromMinutes(10);
        await rig.RunUntilAsync(() => rig.Clock.GetUtcNow() > end, "ten minutes", busyStep: TimeSpan.FromSeconds(1));
        rig.Store.Fails = null;
        await rig.RunUntilAsync(
            () => rig.Store.Count(EventStatus.Delivered) == 10, "all recorded", TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(100));
        end = rig.Clock.GetUtcNow() + TimeSpan.FromHours(1);
        await rig.RunUntilAsync(() => rig.Clock.GetUtcNow() > end, "an hour", TimeSpan.FromSeconds(30));

        Assert.All(ids, id => Assert.Equal(2, receiver.CountOf(id.ToString())));
        Assert.Empty(rig.Store.Violations);
    }

    [Fact]
    public async Task A_store_that_comes_and_goes_costs_neither_events_nor_loops()
    {
        await using var receiver = await Receiver.StartAsync();
        var random = new Random(11);
        receiver.Answer = (context, received) =>
        {
            // Four times at the most: the waits after more are hours, and the clock goes through them in small steps.
            lock (random) context.Response.StatusCode = receiver.CountOf(received.Id) <= 4 && random.Next(3) == 0 ? 500 : 200;
            return Task.CompletedTask;
        };
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        await using var _ = rig;
        rig.Store.Fails = _ =>
        {
            lock (random) return random.Next(4) == 0;
        };

        var ids = Enumerable.Range(0, 200).Select(n => rig.Store1()).ToList();
        await rig.RunUntilAsync(
            () =>
                rig.Store.Count(EventStatus.Delivered) + rig.Store.Count(EventStatus.DeadLetter) == ids.Count, "all finished",
                TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(20));

        Assert.Empty(rig.Store.Violations);
        Assert.All(ids, id => Assert.Equal(receiver.CountOf(id.ToString()), rig.Store.AttemptsOf(endpoint.Id, id).Count));
    }

    [Fact]
    public async Task Hanging_receivers_do_not_hold_up_the_others()
    {
        await using var hanging = await Receiver.StartAsync();
        hanging.Answer = hanging.HangAsync;
        await using var healthy = await Receiver.StartAsync();
        await using var rig = new DeliveryRig(new DeliveryOptions { AllowPrivateNetworks = true, MaxInFlight = 8, MaxSlowInFlight = 400 });
        await rig.Dispatcher.StartAsync(CancellationToken.None);
        for (var n = 1000; n < 1200; n++)
        {
            await rig.Dispatcher.SetDefaultAsync(n, hanging.Url, 0, CancellationToken.None);
            rig.Store1(organizationNo: n);
            rig.Store1(organizationNo: n);
        }

        var endpoint = await rig.Dispatcher.SetDefaultAsync(DeliveryRig.Organization, healthy.Url, 0, CancellationToken.None);
        var ids = Enumerable.Range(0, 50).Select(n => rig.Store1()).ToList();
        var start = rig.Clock.GetUtcNow();
        await rig.RunUntilAsync(
            () => rig.Store.Endpoint(endpoint.Id).DeliveredThrough == ids[^1], "the healthy one is served",
            busyStep: TimeSpan.FromMilliseconds(50));

        // 200 lanes, 8 places, a second each until they are known to be slow: 25 s once; without it 13 rounds of 30 s.
        Assert.True(rig.Clock.GetUtcNow() - start < TimeSpan.FromMinutes(2));
        Assert.True(hanging.Requests.Count >= 8);
    }

    [Fact]
    public async Task A_stop_lets_tries_end_and_records_them()
    {
        await using var receiver = await Receiver.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = (_, _) => release.Task;
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        await using var _ = rig;
        var id = rig.Store1();
        await rig.RunUntilAsync(() => receiver.Requests.Count == 1, "in flight");

        var stopping = rig.Dispatcher.StopAsync(CancellationToken.None);
        rig.Store1();
        release.SetResult();
        await stopping;

        Assert.Equal(EventStatus.Delivered, rig.Store.StatusOf(endpoint.Id, id));
        Assert.Single(receiver.Requests);
    }

    [Fact]
    public async Task A_stop_cuts_off_what_hangs_and_it_is_sent_again()
    {
        await using var receiver = await Receiver.StartAsync();
        // Only the first: the next process may send it before a test could change its mind.
        var asked = 0;
        receiver.Answer = (request, context) =>
            Interlocked.Increment(ref asked) == 1 ? receiver.HangAsync(request, context) : Task.CompletedTask;
        var (rig, endpoint) = await DeliveryRig.StartAsync(receiver);
        var id = rig.Store1();
        await rig.RunUntilAsync(() => receiver.Requests.Count == 1, "in flight");
        await using var next = await rig.RestartAsync();
        await next.RunUntilAsync(() => next.Store.StatusOf(endpoint.Id, id) == EventStatus.Delivered, "delivered", TimeSpan.FromSeconds(1));

        Assert.All(receiver.Requests, request => Assert.Equal(id.ToString(), request.Id));
        Assert.Equal(EventStatus.Delivered, Assert.Single(next.Store.Results).Status);
    }
}
