using ZapierTriggers.Server;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Operations;

MemoryShares.LimitHeap();
try
{
    if (await Commands.RunAsync(args, Console.Out) is { } done) return done;

    await using var server = await EventServer.StartAsync(args, Console.Out);
    await server.WaitForShutdownAsync();
    return 0;
}
catch (Exception error) when (StartupFailure.Report(error, Console.Error) is { } exitCode)
{
    return exitCode;
}
