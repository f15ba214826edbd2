using System.Data.Common;
using System.Runtime.InteropServices;
using ZapierTriggers.Load.Compare;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Contest;
using ZapierTriggers.Load.Core.Yardstick;

// "bare PORT" is the yardstick in a process of its own; the comparison starts it itself, and it ends with it, when its input does.
if (args is ["bare", var port])
{
    await using var bare = await BareServer.StartAsync(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
    await Console.In.ReadToEndAsync();
    return 0;
}

if (args.Any(arg => arg is "--help" or "-h" or "help"))
{
    await Console.Out.WriteLineAsync(Comparison.Usage);
    return 0;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    // The first Ctrl+C still stops what was started and deletes its files.
    pressed.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
};
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    stop.Cancel();
});
try
{
    return args switch
    {
        ["drain", .. var rest] => await DrainCommand.RunAsync(Arguments.Parse(rest), stop.Token),
        ["start", .. var rest] => await StartCommand.RunAsync(Arguments.Parse(rest), stop.Token),
        _ => await Comparison.RunAsync(Arguments.Parse(args), stop.Token),
    };
}
catch (Exception exception) when (exception is UsageException or IOException or TimeoutException or HttpRequestException
    or OperationCanceledException or MissingProgramException or DbException)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
