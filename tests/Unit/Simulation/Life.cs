using System.Buffers.Binary;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>
/// One process on the simulated machine, from its start to its death: its scheduler, its clock and the count of its steps. A step is a turn
/// of a loop, or one effect on the disk or the store; at <see cref="DiesAt"/> it dies before, in the middle of, or right after that step.
/// </summary>
internal sealed class Life
{
    private const string DirectoryPath = "/simulated";

    private readonly Device _device;
    private readonly Dictionary<FaultKind, int> _faults;
    private readonly Trace _trace;

    /// <summary>A process that runs until <paramref name="diesAt"/> (0 = until it is stopped).</summary>
    public Life(int number, Random random, Device device, DateTimeOffset now, long diesAt, Dictionary<FaultKind, int> faults, Trace trace)
    {
        (Number, Random, _device, DiesAt, _faults, _trace) = (number, random, device, diesAt, faults, trace);
        Time = new FakeTimeProvider(now);
        Scheduler = new StepScheduler(random);
        Host = new SimulatedHost(Scheduler, Time);
        Disk = new SimulatedDisk(this, device);
    }

    public int Number { get; }

    public Random Random { get; }

    public FakeTimeProvider Time { get; }

    public StepScheduler Scheduler { get; }

    public SimulatedHost Host { get; }

    public SimulatedDisk Disk { get; }

    /// <summary>The step at which it dies; 0 = none.</summary>
    public long DiesAt { get; }

    /// <summary>Steps so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Whether nothing that it does has an effect any more.</summary>
    public bool IsDead { get; private set; }

    /// <summary>One effect on the world, whole or (where that can be, and death comes in the middle of it) in part.</summary>
    public void Effect(string what, string where, Action whole, Action? part = null)
    {
        if (IsDead) throw new SimulatedCrashException();
        if (_trace.IsVerbose) _trace.Note($"  {Steps + 1}: {what} {where}");
        if (++Steps != DiesAt)
        {
            whole();
            return;
        }

        IsDead = true;
        switch (Random.Next(part is null ? 2 : 3))
        {
            case 0: break;
            case 1: whole(); break;
            default: part!(); break;
        }

        throw new SimulatedCrashException();
    }

    /// <summary>Draws whether the fault strikes now: once in so many times, as the life was given.</summary>
    public bool Fails(FaultKind kind)
    {
        if (IsDead) throw new SimulatedCrashException();
        return _faults.TryGetValue(kind, out var once) && Random.Next(once) == 0;
    }

    /// <summary>Throws when the fault strikes now.</summary>
    public void FailMaybe(FaultKind kind)
    {
        if (Fails(kind)) throw new IOException($"Simulated: {kind} fails.");
    }

    /// <summary>What an answer over the network takes.</summary>
    public Task TravelAsync() => Random.Next(4) == 0 ? PassAsync(200) : Task.CompletedTask;

    /// <summary>Lets up to so many milliseconds of the simulated time pass.</summary>
    public Task PassAsync(int atMost) =>
        new Promise().WaitAsync(TimeSpan.FromMilliseconds(Random.Next(1, atMost)), Time, CancellationToken.None);

    /// <summary>The data directory as this process opens it; the same one in every life.</summary>
    public DataDirectory OpenDirectory()
    {
        Span<byte> identity = stackalloc byte[64];
        identity.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(identity[16..], 7);
        BinaryPrimitives.WriteInt64LittleEndian(identity[32..], 77);
        BinaryPrimitives.WriteInt64LittleEndian(identity[40..], 777);
        return new DataDirectory(Disk, DirectoryPath, new MemoryStream(), identity);
    }

    /// <summary>
    /// Runs the process, one turn after the other and time where nobody can run, until the condition holds or it has died; false when it
    /// has not come to that in so many turns.
    /// </summary>
    public bool RunUntil(Func<bool> condition, int turns, Action afterTurn)
    {
        for (; turns > 0 && !IsDead; turns--)
        {
            if (condition()) return true;
            try
            {
                Turn();
            }
            catch (SimulatedCrashException)
            {
                IsDead = true;
            }

            if (!IsDead) afterTurn();
        }

        return IsDead || condition();
    }

    private void Turn()
    {
        if (Random.Next(16) == 0) _device.WriteBack();
        var actor = Host.Runnable();
        if (actor is not null && (Scheduler.Ready == 0 || Random.Next(3) == 0)) actor.Step();
        else if (Scheduler.Ready > 0) StepOrDie();
        else Time.Advance(TimeSpan.FromMilliseconds(Random.Next(8) switch { 0 => 1_000, 1 or 2 => 100, 3 or 4 => 10, _ => 1 }));
    }

    /// <summary>
    /// A turn of a loop. In the middle of one the process may have written part of a frame into its ring: some words are as they were.
    /// </summary>
    private unsafe void StepOrDie()
    {
        if (++Steps != DiesAt)
        {
            Scheduler.Step();
            return;
        }

        IsDead = true;
        if (Random.Next(2) == 0) return;
        var ring = _device.Names.Values.FirstOrDefault(inode => inode.Memory is not null);
        var before = ring is null ? [] : new Span<byte>(ring.Memory, (int)ring.MappedLength).ToArray();
        Scheduler.Step();
        if (ring is null || Random.Next(2) == 0) return;
        var after = new Span<byte>(ring.Memory, before.Length);
        var (isOrdered, keep) = (Random.Next(2) == 0, true);
        for (var word = 0; word < before.Length; word += 8)
        {
            if (after.Slice(word, 8).SequenceEqual(before.AsSpan(word, 8))) continue;
            keep = isOrdered ? keep && Random.Next(50) != 0 : Random.Next(2) == 0;
            if (!keep) before.AsSpan(word, 8).CopyTo(after[word..]);
        }
    }
}
