using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// Turns what stopped a start into one clear line and an exit code. The one place that knows which exceptions an operator can do something
/// about; anything else is a fault of ours and keeps its stack trace.
/// </summary>
internal static class StartupFailure
{
    /// <summary>
    /// Writes the line for <paramref name="error"/> and returns the exit code; null when the error is not one that an operator can remove.
    /// </summary>
    public static int? Report(Exception error, TextWriter output)
    {
        if (Explain(error) is not var (message, exitCode)) return null;
        output.WriteLine($"Cannot start: {message}");
        return exitCode;
    }

    private static (string Message, int ExitCode)? Explain(Exception error) => error switch
    {
        StartupException startup => (startup.Message, startup.ExitCode),
        JournalException journal => (journal.Message, 1),
        StoreException { Failure: StoreFailure.Unavailable } store =>
            ($"the database is not reachable: {OneLine(store.Message)} Check DATABASE_URL and that the database runs.", 1),
        StoreException { Failure: StoreFailure.Fenced } store =>
            ($"another server works on this database: {OneLine(store.Message)} Stop it first, or give this one a database of its own.", 1),
        StoreException store => ($"the database cannot be used: {OneLine(store.Message)}", 1),
        AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } =>
            ($"{OneLine(error.Message)} Stop the program that uses the port, or choose another with PORT or --urls.", 1),
        SocketException { SocketErrorCode: SocketError.AccessDenied } =>
            ($"{OneLine(error.Message)} This user may not listen on that port: choose one above 1023 with PORT or --urls.", 1),
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable or SocketError.HostNotFound } =>
            ($"{OneLine(error.Message)} This machine does not have that address: choose another with HOST or --urls.", 1),
        InvalidOperationException when error.Message.Contains("HTTPS endpoint", StringComparison.Ordinal) =>
            ("there is no certificate for an https address. Set Kestrel:Certificates:Default:Path (and KeyPath, or Password), or listen on http.", 1),
        AggregateException { InnerExceptions: [var only] } => Explain(only),
        IOException { InnerException: AddressInUseException inUse } =>
            ($"{OneLine(error.Message)} Stop the program that uses the port, or choose another with PORT or --urls.", 1),
        { InnerException: { } inner } => Explain(inner),
        _ => null,
    };

    /// <summary>The message as one sentence on one line.</summary>
    private static string OneLine(string message)
    {
        var line = string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        return line.EndsWith('.') ? line : line + ".";
    }
}
