using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Receiving;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>
/// Organizations whose receivers hang or fail, each with events waiting: what must not slow down anybody else's webhooks.
/// </summary>
internal sealed class BadNeighbours : IDisposable
{
    /// <summary>Events of each: a hanging receiver that takes them one by one, 30 s each, is busy for ten minutes.</summary>
    private const int EventsEach = 20;

    private readonly FastReceiver _hanging = new(Manner.Hangs, connections: 4096);
    private readonly FastReceiver _failing = new(Manner.Fails);

    /// <summary>Makes the organizations and their events.</summary>
    /// <exception cref="UsageException">The server does not let us.</exception>
    public async Task StartAsync(Uri server, CommonOptions options, int hanging, int failing, CancellationToken stop)
    {
        for (var i = 0; i < hanging + failing; i++)
        {
            var receiver = i < hanging ? _hanging : _failing;
            var name = $"load-{(i < hanging ? "hanging" : "failing")}-{i}";
            using var session = await LoadSession.OpenAsync(server, options, name, key: null);
            await session.Account.SetWebhookAsync(receiver.Url);
            var plan = SendPlan.Constant(EventsEach * 1000.0, TimeSpan.FromMilliseconds(1));
            using var run = new LoadRun(session.Settings(connections: 1), _ => plan, new RequestNumbers());
            await run.RunAsync(stop);
        }
    }

    /// <summary>What came to them so far, in words.</summary>
    public string Describe() =>
        $"{_hanging.Taken:N0} webhooks hang or hung over at most {_hanging.MostOpen:N0} connections, {_failing.Taken:N0} were answered 500";

    /// <inheritdoc/>
    public void Dispose()
    {
        _hanging.Dispose();
        _failing.Dispose();
    }
}
