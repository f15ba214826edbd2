using ZapierTriggers.Load.OpenLoop;

return await Commands.RunAsync(args);
