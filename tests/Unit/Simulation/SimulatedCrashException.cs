namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>The simulated process is dead: whatever its code tries from here on has no effect.</summary>
internal sealed class SimulatedCrashException : Exception
{
    public SimulatedCrashException()
        : base("The simulated process has died.")
    {
    }
}
