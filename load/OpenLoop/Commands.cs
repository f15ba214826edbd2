using System.Net.Sockets;
using System.Text.Json;
using ZapierTriggers.Load.Core.CommandLine;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>Exit codes of every command.</summary>
internal static class ExitCode
{
    /// <summary>Done, and the verdict is good.</summary>
    public const int Success = 0;

    /// <summary>Bad arguments, or the server could not be used at all.</summary>
    public const int Failure = 1;

    /// <summary>A promise was broken, or the numbers are void.</summary>
    public const int Verdict = 2;
}

/// <summary>Finds the command that the first argument names.</summary>
internal static class Commands
{
    /// <summary>Runs a command line to its exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        if (args.Length == 0 || args.Any(arg => arg is "--help" or "-h" or "help"))
        {
            await Console.Out.WriteLineAsync(Usage.Text);
            return args.Length == 0 ? ExitCode.Failure : ExitCode.Success;
        }

        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            // The first Ctrl+C ends the run and still prints what it found; a second one ends the process.
            pressed.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        };
        try
        {
            var arguments = Arguments.Parse(args.AsSpan(1));
            return args[0] switch
            {
                "run" => await RunCommand.RunAsync(arguments, stop.Token),
                "closed" => await ClosedCommand.RunAsync(arguments, stop.Token),
                "overload" => await OverloadCommand.RunAsync(arguments, stop.Token),
                "compare" => await CompareCommand.RunAsync(arguments, stop.Token),
                "webhooks" => await WebhooksCommand.RunAsync(arguments, stop.Token),
                "knee" => await KneeCommand.RunAsync(arguments, stop.Token),
                "batch" => await BatchCommand.RunAsync(arguments, stop.Token),
                "soak" => await SoakCommand.RunAsync(arguments, stop.Token),
                "inbox" => await InboxCommand.RunAsync(arguments, stop.Token),
                "bare" => await BareCommand.RunAsync(arguments, stop.Token),
                _ => throw new UsageException(
                    $"There is no command '{args[0]}'; there are run, knee, closed, batch, overload, compare, webhooks, soak, inbox "
                    + "and bare."),
            };
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("stopped");
            return ExitCode.Failure;
        }
        catch (Exception exception) when (exception is UsageException or IOException or TimeoutException or OperationCanceledException
            or HttpRequestException or SocketException or InvalidDataException or JsonException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCode.Failure;
        }
    }
}
