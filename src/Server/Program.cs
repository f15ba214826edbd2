using ZapierTriggers.Server;
using ZapierTriggers.Server.Operations;

try
{
    await using var server = await EventServer.StartAsync(args);
    await server.WaitForShutdownAsync();
    return 0;
}
catch (Exception error) when (StartupFailure.Report(error, Console.Error) is { } exitCode)
{
    return exitCode;
}
