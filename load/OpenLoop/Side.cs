using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>One of the two servers of a comparison. Its events go on from round to round, so that dedup ids stay unique.</summary>
internal sealed class Side : IDisposable
{
    private readonly LoadSession _session;
    private readonly RequestNumbers _numbers = new();

    private Side(LoadSession session) => _session = session;

    /// <summary>One line on what is sent.</summary>
    public string Description => _session.Description;

    /// <summary>Opens the account to send for.</summary>
    public static async Task<Side> OpenAsync(Uri server, string? key, CommonOptions options) =>
        new(await LoadSession.OpenAsync(server, options, "load-compare", key));

    /// <summary>One closed round.</summary>
    public async Task<LoadResult> RoundAsync(int connections, TimeSpan duration, CancellationToken stop)
    {
        using var run = new LoadRun(_session.Settings(connections), _ => SendPlan.Closed(duration), _numbers);
        return await run.RunAsync(stop);
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
