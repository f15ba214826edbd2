using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>One of the two servers of a comparison. Its events go on from round to round, so that dedup ids stay unique.</summary>
internal sealed class Side : IDisposable
{
    private readonly LoadSession _session;
    private readonly Ledger? _ledger;
    private readonly RequestNumbers _numbers = new();

    private Side(LoadSession session, Ledger? ledger) => (_session, _ledger) = (session, ledger);

    /// <summary>One line on what is sent.</summary>
    public string Description => _session.Description;

    /// <summary>Opens the account to send for.</summary>
    /// <param name="server">The server.</param>
    /// <param name="key">An organization's key; null makes an organization.</param>
    /// <param name="options">What is sent.</param>
    /// <param name="isAudited">Whether to keep a ledger for an audit; a server without keys has no inbox and is not audited.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task<Side> OpenAsync(Uri server, string? key, CommonOptions options, bool isAudited, CancellationToken stop)
    {
        var session = await LoadSession.OpenAsync(server, options, "load-compare", key);
        return new Side(session, isAudited && session.Account.HasKeys ? await session.BeginAuditAsync(stop) : null);
    }

    /// <summary>One closed round.</summary>
    public async Task<LoadResult> RoundAsync(int connections, TimeSpan duration, CancellationToken stop)
    {
        using var run = new LoadRun(_session.Settings(connections), _ => SendPlan.Closed(duration), _numbers, _ledger);
        return await run.RunAsync(stop);
    }

    /// <summary>Audits what it has sent, if it keeps a ledger, and prints that; returns the exit code.</summary>
    public async Task<int> AuditAsync(CancellationToken stop) =>
        _ledger is null ? ExitCode.Success : Report.Tell(await _session.AuditAsync(_ledger, deliveries: null, stop));

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
