using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>
/// What the commands that send events begin and end with: the organization that they send for, its events, and the audit of what has come
/// into its inbox since the beginning.
/// </summary>
internal sealed class LoadSession : IDisposable
{
    private const int PageBytes = 4 << 20;
    private const int RowOverhead = 300; // What the inbox adds to a payload.

    private readonly CommonOptions _options;
    private readonly InboxReader _inbox;

    private LoadSession(Uri server, Account account, CommonOptions options)
    {
        (Server, Account, _options, Source) = (server, account, options, options.CreateSource());
        _inbox = new InboxReader(account.Client, Math.Clamp(PageBytes / (Source.MeanPayloadLength + RowOverhead), 1, 1000));
    }

    /// <summary>The server.</summary>
    public Uri Server { get; }

    /// <summary>The organization.</summary>
    public Account Account { get; }

    /// <summary>Its events.</summary>
    public EventSource Source { get; }

    /// <summary>One line on what is sent.</summary>
    public string Description => _options.Describe(Source);

    /// <summary>Takes the organization whose key was given, or makes one of this name.</summary>
    /// <exception cref="UsageException">The server does not let us make one.</exception>
    public static Task<LoadSession> OpenAsync(Uri server, CommonOptions options, string name) =>
        OpenAsync(server, options, name, options.Key);

    /// <summary>The same with a key other than the options'; null makes an organization.</summary>
    /// <exception cref="UsageException">The server does not let us make one.</exception>
    public static async Task<LoadSession> OpenAsync(Uri server, CommonOptions options, string name, string? key) =>
        new(server, await Account.OpenAsync(server, key, options.AdminToken, name), options);

    /// <summary>The settings of a run.</summary>
    public LoadSettings Settings(int connections) => _options.CreateSettings(Server, Account.Key, Source, connections);

    /// <summary>Passes over what is in the inbox now. Returns the ledger that the audit will hold against what comes.</summary>
    public async Task<Ledger> BeginAuditAsync(CancellationToken stop)
    {
        await SkipExistingAsync(stop);
        return new Ledger();
    }

    /// <summary>The same for who keeps a ledger of its own.</summary>
    public Task SkipExistingAsync(CancellationToken stop) => _inbox.SkipExistingAsync(stop);

    /// <summary>What has come into the inbox since.</summary>
    public IAsyncEnumerable<StoredEvent> ReadInboxAsync(CancellationToken stop) => _inbox.ReadAsync(stop);

    /// <summary>Holds a ledger against it.</summary>
    /// <param name="ledger">What was sent and answered.</param>
    /// <param name="deliveries">What the receiver got; null if deliveries are not audited.</param>
    /// <param name="stop">Ends it.</param>
    public Task<AuditReport> AuditAsync(Ledger ledger, IEnumerable<Delivery>? deliveries, CancellationToken stop) =>
        Audit.RunAsync(Source, ledger, ReadInboxAsync(stop), deliveries);

    /// <inheritdoc/>
    public void Dispose() => Account.Dispose();
}
