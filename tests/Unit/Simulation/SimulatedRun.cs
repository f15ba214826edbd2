using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>
/// One run: a server's whole way from producer to store on a simulated machine, through several lives, the first of which dies at a given
/// step and the last of which has no faults. Everything in it is decided by the seed, so a run that fails can be repeated.
/// </summary>
internal sealed class SimulatedRun : IDisposable
{
    private const int MostTurns = 100_000;
    private static readonly DateTimeOffset Begin = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly Random _random;
    private readonly Scenario _scenario;
    private readonly Device _device;
    private readonly SimulatedStore _store;
    private readonly Producers _producers;
    private readonly Receivers _receivers;
    private readonly Trace _trace;
    private readonly long _firstDeath;
    private DateTimeOffset _now = Begin;
    private ulong _syncedThrough;
    private string? _violation;

    /// <summary>Prepares the run of a seed whose first life dies at that step; 0 = it does not die.</summary>
    public SimulatedRun(int seed, long firstDeath, bool isVerbose)
    {
        _trace = new Trace { IsVerbose = isVerbose };
        _random = new Random(seed);
        _scenario = Scenario.Of(_random);
        _device = new Device(_random);
        _store = new SimulatedStore(_random);
        _producers = new Producers(_scenario, _random, _store, Begin);
        _receivers = new Receivers(_random, Begin);
        _firstDeath = firstDeath;
    }

    /// <summary>Steps of the first life: the deaths to try.</summary>
    public long FirstLifeSteps { get; private set; }

    /// <summary>Requests sent.</summary>
    public int Requests => _producers.Sent.Count;

    /// <summary>Runs it; returns what was violated, null when nothing was.</summary>
    public string? Run()
    {
        FirstLifeSteps = Live(0, _firstDeath, isLast: false);
        var more = _random.Next(3);
        for (var number = 1; number <= more && _violation is null; number++) Live(number, _random.Next(1, 120), isLast: false);
        if (_violation is null) Live(more + 1, 0, isLast: true);
        return _violation ?? _producers.Violation ?? Invariants.Check(_producers.Sent, _store)
            ?? (_scenario.HasWebhooks ? _receivers.Check(_store) : null);
    }

    /// <summary>What happened, for the report of a run that fails.</summary>
    public string Describe() => string.Join(
        '\n',
        [
            _scenario.ToString(),
            .. _scenario.Faults.Select(static fault => $"{fault.Key} fails once in {fault.Value}"),
            _trace.ToString(),
            .. _producers.Sent.Select(static sending => sending.ToString()),
            .. _store.Events.Select(static row => row.ToString()),
        ]);

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private long Live(int number, long diesAt, bool isLast)
    {
        _trace.Note($"life {number}");
        var life = new Life(number, _random, _device, _now, diesAt, isLast ? [] : _scenario.Faults, _trace);
        _device.IsFull = false;
        var connection = new StoreConnection(life, _store);
        if (Open(life, connection) is { } shard)
        {
            Work(life, connection, shard, isLast);
            if (!life.IsDead && (isLast || _random.Next(2) == 0)) Stop(life, shard);
        }

        _trace.Note($"life {number}: {life.Steps} steps, dies at {diesAt}, dead {life.IsDead}, sent {_producers.Sent.Count}, stored {_store.Events.Count}, synced {_syncedThrough:x}");
        Bury(life, isLast);
        return life.Steps;
    }

    private Shard? Open(Life life, StoreConnection connection)
    {
        var directory = life.OpenDirectory();
        var dispatcher = new Dispatcher(
            new DeliveryConnection(connection, _store, _receivers),
            Receivers.Options with { Enabled = _scenario.HasWebhooks },
            new AddressGuard(Receivers.Options),
            life.Time,
            _trace,
            random: _random.NextDouble,
            send: (target, due, _) => _receivers.ReceiveAsync(life, target, due),
            host: life.Host);
        var parts = new ShardParts(connection, dispatcher.EventsStored, life.Time, _trace)
        {
            Host = life.Host,
            IsAwaited = dispatcher.IsAwaited,
        };
        Shard? shard = null;
        var opening = life.Host.Run(async () =>
        {
            shard = await Shard.OpenAsync(directory, parts, _scenario.Journal, _scenario.Ingest, _scenario.Dedup, CancellationToken.None);
            await dispatcher.StartAsync(CancellationToken.None);
        });
        if (!life.RunUntil(() => opening.IsCompleted, MostTurns, () => { })) _violation = $"life {life.Number}: the start hangs";
        if (life.IsDead || !opening.IsFaulted) return opening.IsCompletedSuccessfully ? shard : null;

        // A disk or a store that fails may stop a start; what a crash left must not.
        var error = opening.Exception.InnerException!;
        if (error is not (IOException or StoreException { Failure: StoreFailure.Unavailable })
            || life.Number > 0 && _scenario.Faults.Count == 0)
            _violation = $"life {life.Number}: the start fails: {error}";
        _trace.Note($"start failed: {error.Message}");
        return null;
    }

    private void Work(Life life, StoreConnection connection, Shard shard, bool isLast)
    {
        var working = _producers.Start(life, shard);
        var turns = isLast ? MostTurns : _random.Next(50, 3_000);
        var isDone = life.RunUntil(() => working.IsCompleted && IsDrained(shard), turns, () => AfterTurn(connection, shard, isLast));
        if (isLast && !isDone)
            _violation ??= $"not everything is stored and delivered in the end: {string.Join(' ', shard.Troubles())} {shard.Writer.Stored.Position} of {shard.Sequencer.Journaled}";
    }

    private void Stop(Life life, Shard shard)
    {
        var stopping = life.Host.Run(async () => await shard.DisposeAsync());
        if (!life.RunUntil(() => stopping.IsCompleted, MostTurns, () => Note(shard))) _violation ??= $"life {life.Number}: the stop hangs";
        if (!life.IsDead && stopping.IsFaulted) _violation ??= $"life {life.Number}: the stop fails: {stopping.Exception.InnerException}";
        Note(shard);
    }

    /// <summary>What the machine and the store do when a process has ended.</summary>
    private void Bury(Life life, bool isLast)
    {
        _now = life.Time.GetUtcNow() + TimeSpan.FromMilliseconds(_random.Next(-2_000, 1_000)); // clocks are set back, too
        _store.LoseSender();
        if (isLast) return;
        if (_scenario.CutsPower && _random.Next(3) != 0)
        {
            _device.CutPower();
            _trace.Note("power cut");
            if (_scenario.Ingest.AckWhen == AckWhen.Journaled)
                foreach (var sending in _producers.Sent)
                    sending.IsExcused |= sending.IsAnswered && sending.Receipt!.Value.Id.High > _syncedThrough;
        }

        if (_scenario.SetsBack && _random.Next(2) == 0)
        {
            _store.SetBack();
            _trace.Note($"set back to {_store.Events.Count}");
        }
    }

    private void AfterTurn(StoreConnection connection, Shard shard, bool isLast)
    {
        Note(shard);
        if (_random.Next(64) == 0) connection.ArriveLate();
        if (_random.Next(64) == 0 && _store.SetBacks == 0) _store.Remember();
        if (!isLast && _scenario.IsDiskFullAtTimes && _random.Next(32) == 0) _device.IsFull = !_device.IsFull;
    }

    private void Note(Shard shard)
    {
        var (stored, synced) = (shard.Writer.Stored.Position, shard.Journal.Synced.Position);
        if (stored > synced) _violation ??= $"stored through {stored:x}, synced only through {synced:x}";
        if (shard.Sequencer.Journaled != 0 && synced > shard.Sequencer.Journaled && synced > shard.Recovered.LastId.High && synced > stored)
            _violation ??= $"synced through {synced:x}, kept only through {shard.Sequencer.Journaled:x}";
        if (shard.Journal.Gaps > 0) _violation ??= "the journal has a gap";
        _syncedThrough = Math.Max(_syncedThrough, synced);
    }

    private bool IsDrained(Shard shard) =>
        (!_scenario.HasWebhooks || _receivers.AreDone(_store))
        && shard.Writer.Stored.Position >= Math.Max(
            shard.Sequencer.Journaled, shard.Recovered.Events > 0 ? shard.Recovered.LastId.High : 0);
}
