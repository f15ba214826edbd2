using ZapierTriggers.Load.Core.CommandLine;

namespace ZapierTriggers.Load.OpenLoop;

internal static class InboxCommand
{
    public static Task<int> RunAsync(Arguments arguments, CancellationToken stop) => throw new NotSupportedException();
}
