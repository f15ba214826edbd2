using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Inbox;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Inbox;

/// <summary>Whose mark is moved, how long, and when again.</summary>
public sealed class InboxMarkAdvancerTests : IAsyncLifetime
{
    private static readonly TimeSpan Slow = InboxMarkAdvancer.DefaultSlowPage;

    private readonly MemoryEventStore _store = new();
    private readonly FakeTimeProvider _time = new();
    private readonly LogRecorder _logs = new();
    private readonly LoggerFactory _loggers;
    private readonly InboxMarkAdvancer _marks;

    public InboxMarkAdvancerTests()
    {
        _loggers = new LoggerFactory([_logs]);
        _marks = new InboxMarkAdvancer(_store, _time, _loggers.CreateLogger<InboxMarkAdvancer>());
    }

    public async ValueTask InitializeAsync() => await _marks.StartAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _marks.StopAsync(CancellationToken.None);
        _marks.Dispose();
        _loggers.Dispose();
    }

    [Fact]
    public async Task A_slow_page_has_it_moved_to_the_end_and_a_fast_one_does_not()
    {
        _store.HasMore = calls => calls < 3;
        _marks.Offer(1, Slow - TimeSpan.FromTicks(1));
        _marks.Offer(2, Slow);
        await UntilAsync(3);

        Assert.Equal([2, 2, 2], Advances());
        Assert.DoesNotContain(
            _logs.Lines, line =>
                !line.StartsWith("Debug", StringComparison.Ordinal) && !line.StartsWith("Trace", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_rests_before_it_looks_at_the_same_organization_again()
    {
        _marks.Offer(1, Slow);
        await UntilAsync(1);
        await Poll.UntilAsync(() => Offered(2, atLeast: 2), "another one is looked at");
        _marks.Offer(1, Slow);
        await Poll.UntilAsync(() => Offered(3, atLeast: 3), "what was offered after it is looked at");
        Assert.Equal(1, Advances().Count(no => no == 1));

        _time.Advance(InboxMarkAdvancer.Pause);
        await Poll.UntilAsync(() => Offered(1, atLeast: 2), "it is looked at again");
    }

    [Fact]
    public async Task A_store_that_is_away_is_told_once_and_tried_again()
    {
        _store.Failure = new StoreException(StoreFailure.Unavailable, "away");
        _marks.Offer(1, Slow);
        await Poll.UntilAsync(() => _logs.Lines.Any(line => line.StartsWith("Warning 2131: ", StringComparison.Ordinal)), "it is told");

        _store.Failure = null;
        await Poll.UntilAsync(() => Offered(1, atLeast: 2), "it is looked at again", () => _time.Advance(TimeSpan.FromSeconds(5)));
    }

    private bool Offered(int organizationNo, int atLeast)
    {
        if (Advances().Count >= atLeast && Advances()[^1] == organizationNo) return true;
        _marks.Offer(organizationNo, Slow);
        return false;
    }

    private Task UntilAsync(int calls) => Poll.UntilAsync(() => Advances().Count >= calls, $"{calls} calls");

    private List<int> Advances()
    {
        lock (_store.Advances) return [.. _store.Advances];
    }
}
