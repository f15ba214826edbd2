using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>A dispatcher over a store in memory, under a clock that the test moves.</summary>
internal sealed class DeliveryRig : IAsyncDisposable
{
    public const int Organization = 7;

    private readonly EventIdGenerator _ids = new(default);

    public DeliveryRig(DeliveryOptions? options = null, MemoryDeliveryStore? store = null, FakeTimeProvider? clock = null)
    {
        Options = options ?? new DeliveryOptions { AllowPrivateNetworks = true };
        Store = store ?? new MemoryDeliveryStore();
        Clock = clock ?? new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Dispatcher = new Dispatcher(
            Store, Options, new AddressGuard(Options), Clock, NullLogger<Dispatcher>.Instance, random: () => 0.5, tell: TellAsync);
    }

    public DeliveryOptions Options { get; }

    public MemoryDeliveryStore Store { get; }

    public FakeTimeProvider Clock { get; }

    public Dispatcher Dispatcher { get; }

    /// <summary>What organizations were told, and when.</summary>
    public ConcurrentQueue<(OperationalEvent Event, DateTimeOffset At)> Told { get; } = new();

    /// <summary>Whether what is told is taken.</summary>
    public bool TakesTold { get; set; } = true;

    /// <summary>Starts with one endpoint at the receiver.</summary>
    public static async Task<(DeliveryRig Rig, EndpointRecord Endpoint)> StartAsync(Receiver receiver, DeliveryOptions? options = null)
    {
        var rig = new DeliveryRig(options);
        await rig.Dispatcher.StartAsync(CancellationToken.None);
        return (rig, await rig.Dispatcher.SetDefaultAsync(Organization, receiver.Url, 0, CancellationToken.None));
    }

    /// <summary>Ends this dispatcher at once, as a crash would, and returns a new one on the same store and clock.</summary>
    public async Task<DeliveryRig> RestartAsync(DeliveryOptions? options = null)
    {
        await Dispatcher.DisposeAsync();
        var next = new DeliveryRig(options ?? Options, Store, Clock);
        await next.Dispatcher.StartAsync(CancellationToken.None);
        return next;
    }

    /// <summary>Stores one event and says so.</summary>
    public EventId Store1(string type = "user.created", int organizationNo = Organization)
    {
        var id = _ids.Next(Clock.GetUtcNow().ToUnixTimeMilliseconds());
        Store.Add(organizationNo, new DueEvent { Id = id, Type = type, Payload = Encoding.UTF8.GetBytes($$"""{"n": "{{id}}"}""") });
        Dispatcher.EventsStored([organizationNo]);
        return id;
    }

    /// <summary>
    /// Moves the clock until the condition holds: by <paramref name="step"/> while nothing is in flight, else by a millisecond (or
    /// <paramref name="busyStep"/>).
    /// </summary>
    public Task RunUntilAsync(Func<bool> condition, string what, TimeSpan? step = null, TimeSpan? busyStep = null) =>
        Poll.UntilAsync(condition, what, () =>
        Clock.Advance(Dispatcher.InFlight == 0 && Dispatcher.Unrecorded == 0 ? IdleStep(step ?? TimeSpan.FromMilliseconds(50)) : busyStep ?? TimeSpan.FromMilliseconds(2)));

    /// <summary>
    /// A claim that is handed over just now must not run out before its try starts: half a minute before the end of its lease.
    /// </summary>
    private TimeSpan IdleStep(TimeSpan step) => Store.HasClaims && step > TimeSpan.FromSeconds(5) ? TimeSpan.FromSeconds(5) : step;

    public ValueTask DisposeAsync() => Dispatcher.DisposeAsync();

    private Task<bool> TellAsync(OperationalEvent told)
    {
        if (TakesTold) Told.Enqueue((told, Clock.GetUtcNow()));
        return Task.FromResult(TakesTold);
    }
}
