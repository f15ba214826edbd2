using ZapierTriggers.Server;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Operations;
using ZapierTriggers.Server.Operations.Pages;

if (args is ["settings"])
{
    Console.Write(SettingsDocument.Markdown());
    return 0;
}

if (args is ["errors"])
{
    Console.Write(ErrorCatalogue.Markdown());
    return 0;
}

if (args is ["log-events"])
{
    Console.Write(LogEventsDocument.Markdown());
    return 0;
}

MemoryShares.LimitHeap();
try
{
    if (args is ["config", "show", .. var given])
    {
        ConfigShowCommand.Run(given, Console.Out);
        return 0;
    }

    if (args is [ReplayJournalCommand.Name, .. var options])
    {
        return await ReplayJournalCommand.RunAsync(options, Console.Out, CancellationToken.None);
    }

    if (args is [VerifyCommand.Name, .. var settings]) return await VerifyCommand.RunAsync(settings, Console.Out, CancellationToken.None);

    if (args is [MoveToPostgresCommand.Name, .. var move]) return await MoveToPostgresCommand.RunAsync(move, Console.Out, CancellationToken.None);

    if (args is [BackupCommand.Name, .. var backup]) return BackupCommand.Run(backup, Console.Out);

    await using var server = await EventServer.StartAsync(args, Console.Out);
    await server.WaitForShutdownAsync();
    return 0;
}
catch (Exception error) when (StartupFailure.Report(error, Console.Error) is { } exitCode)
{
    return exitCode;
}
