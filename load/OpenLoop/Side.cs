using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>One of the two servers of a comparison. Its events go on from round to round, so that dedup ids stay unique.</summary>
internal sealed class Side : IDisposable
{
    private readonly Uri _server;
    private readonly Account _account;
    private readonly CommonOptions _options;
    private readonly RequestNumbers _numbers = new();

    private Side(Uri server, Account account, CommonOptions options)
    {
        _server = server;
        _account = account;
        _options = options;
        Source = options.CreateSource();
    }

    /// <summary>Its events.</summary>
    public EventSource Source { get; }

    /// <summary>Opens the account to send for.</summary>
    public static async Task<Side> OpenAsync(Uri server, string? key, CommonOptions options) =>
        new(server, await Account.OpenAsync(server, key, options.AdminToken, "load-compare"), options);

    /// <summary>One closed round.</summary>
    public async Task<LoadResult> RoundAsync(int connections, TimeSpan duration, CancellationToken stop)
    {
        var settings = _options.CreateSettings(_server, _account.Key, Source, connections);
        using var run = new LoadRun(settings, _ => SendPlan.Closed(duration), _numbers);
        return await run.RunAsync(stop);
    }

    /// <inheritdoc/>
    public void Dispose() => _account.Dispose();
}
