using System.Runtime.InteropServices;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// The first SIGTERM or Ctrl-C stops in order; the second ends the process at once (the journal keeps what was accepted).
/// </summary>
internal static class ShutdownSignals
{
    private const int ExitCode = 130; // as shells report a process ended by Ctrl-C

    /// <summary>Watches until disposed.</summary>
    public static IDisposable ExitAtOnceOnSecond(IHostApplicationLifetime lifetime)
    {
        var registrations = new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, _ =>
        {
            if (lifetime.ApplicationStopping.IsCancellationRequested) Environment.Exit(ExitCode);
        })).ToArray();
        return new Registrations(registrations);
    }

    private sealed class Registrations(PosixSignalRegistration[] registrations) : IDisposable
    {
        public void Dispose()
        {
            foreach (var registration in registrations) registration.Dispose();
        }
    }
}
