using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Limits;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Tests.Unit.Usage;

public sealed class UsageTellerTests
{
    private readonly UsageScene _scene = new();

    [Fact]
    public async Task The_rate_limit_is_told_at_most_once_an_hour_also_by_another_process()
    {
        UseRate(remaining: 20);
        await _scene.Teller.LookAsync(CancellationToken.None);
        UseRate(remaining: 10);
        await _scene.Teller.LookAsync(CancellationToken.None);
        Assert.Equal([OperationalEvent.RateLimitWarning], Types());

        UseRate(remaining: 0);
        await _scene.Teller.LookAsync(CancellationToken.None);
        Assert.Equal([OperationalEvent.RateLimitWarning, OperationalEvent.RateLimitReached], Types());

        _scene.Time.Advance(TimeSpan.FromMinutes(59));
        UseRate(remaining: 0);
        await _scene.NewTeller().LookAsync(CancellationToken.None);
        Assert.Equal(2, _scene.Told.Count);

        _scene.Time.Advance(TimeSpan.FromMinutes(2));
        UseRate(remaining: 0);
        await _scene.Teller.LookAsync(CancellationToken.None);
        Assert.Equal(4, _scene.Told.Count);
        Assert.Equal(4, _scene.Told.Select(told => told.DedupId).Distinct().Count());
    }

    [Fact]
    public async Task The_quota_is_told_once_a_month()
    {
        Take(7);
        await _scene.Teller.LookAsync(CancellationToken.None);
        Assert.Empty(_scene.Told);
        Take(1);
        await _scene.Teller.LookAsync(CancellationToken.None);
        Assert.Equal([OperationalEvent.QuotaWarning], Types());
        Take(2);
        Assert.True(_scene.Quotas.IsSpent(_scene.Organization));
        await _scene.Teller.LookAsync(CancellationToken.None);
        _scene.Time.Advance(TimeSpan.FromDays(1)); // the 29th of February
        Assert.True(_scene.Quotas.IsSpent(_scene.Organization));
        await _scene.Teller.LookAsync(CancellationToken.None);
        await _scene.NewTeller().LookAsync(CancellationToken.None);
        Assert.Equal([OperationalEvent.QuotaWarning, OperationalEvent.QuotaReached], Types());

        _scene.Time.Advance(TimeSpan.FromDays(1));
        Take(8);
        await _scene.Teller.LookAsync(CancellationToken.None);
        Assert.Equal(OperationalEvent.QuotaWarning, Types()[^1]);
        Assert.Equal(3, _scene.Told.Count);
    }

    [Fact]
    public async Task What_is_given_back_before_anybody_looks_is_not_told()
    {
        Take(8);
        _scene.Quotas.GiveBack(_scene.Organization, 1);

        await _scene.Teller.LookAsync(CancellationToken.None);

        Assert.Empty(_scene.Told);
    }

    [Fact]
    public async Task What_is_not_taken_is_told_later()
    {
        _scene.IsTaken = false;
        UseRate(remaining: 15);
        await _scene.Teller.LookAsync(CancellationToken.None);
        _scene.IsTaken = true;
        await _scene.Teller.LookAsync(CancellationToken.None);
        Assert.Empty(_scene.Told);

        _scene.Time.Advance(TimeSpan.FromMinutes(2));
        await _scene.Teller.LookAsync(CancellationToken.None);

        Assert.Equal([OperationalEvent.RateLimitWarning], Types());
    }

    [Fact]
    public async Task What_is_owed_over_the_months_edge_is_not_told_and_the_new_months_is()
    {
        _scene.Time.SetUtcNow(UsageScene.Start.AddDays(2).AddSeconds(-12 * 3600 - 10)); // 10 s before March
        _scene.IsTaken = false;
        Take(10);
        await _scene.Teller.LookAsync(CancellationToken.None);
        _scene.IsTaken = true;
        _scene.Time.Advance(TimeSpan.FromMinutes(2));
        await _scene.Teller.LookAsync(CancellationToken.None);
        Assert.Empty(_scene.Told);

        Take(8);
        await _scene.Teller.LookAsync(CancellationToken.None);

        Assert.Equal([OperationalEvent.QuotaWarning], Types());
    }

    [Fact]
    public async Task What_is_owed_and_not_so_any_more_is_not_told()
    {
        _scene.IsTaken = false;
        _scene.Organization.Update(_scene.Organization.Record with { RateLimitPerMinute = 100 });
        UseRate(remaining: 0);
        Take(9);
        await _scene.Teller.LookAsync(CancellationToken.None);
        _scene.IsTaken = true;
        _scene.Quotas.GiveBack(_scene.Organization, 2);
        _scene.Organization.Update(_scene.Organization.Record with { RateLimitPerMinute = 1_000 });
        _scene.Time.Advance(TimeSpan.FromMinutes(2));

        await _scene.Teller.LookAsync(CancellationToken.None);

        Assert.Empty(_scene.Told);
        Take(1);
        UseRate(remaining: 0);
        await _scene.Teller.LookAsync(CancellationToken.None);
        Assert.Equal([OperationalEvent.RateLimitWarning, OperationalEvent.RateLimitReached, OperationalEvent.QuotaWarning], Types());
    }

    [Fact]
    public void A_rate_limit_told_again_within_the_hour_is_the_same_event()
    {
        var hour = new DateTimeOffset(2028, 2, 28, 13, 0, 0, TimeSpan.Zero);

        Assert.Equal(DedupIdAt(hour), DedupIdAt(hour.AddMinutes(59)));
        Assert.NotEqual(DedupIdAt(hour), DedupIdAt(hour.AddMinutes(60)));

        string DedupIdAt(DateTimeOffset at) => OperationalEvent.RateLimit(_scene.Organization, isReached: true, 100, at).DedupId;
    }

    [Fact(Timeout = 60_000)]
    public async Task A_foreign_cancellation_does_not_end_the_upkeep()
    {
        _scene.Organization.Usage.Add(UsageKind.Invalid, 3);
        _scene.Store.Failure = new OperationCanceledException("of somebody else");
        await _scene.Upkeep.StartAsync(CancellationToken.None);
        while (_scene.Store.Sums.Count == 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            _scene.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(3, _scene.Store.Sums[0].Events);
        await _scene.Upkeep.StopAsync(CancellationToken.None);
    }

    [Fact]
    public void Its_failed_delivery_is_not_told_and_it_is_about_no_endpoint()
    {
        var told = OperationalEvent.Quota(_scene.Organization, isReached: true, _scene.Quotas.StateOf(_scene.Organization));

        Assert.True(OperationalEvent.IsOne(told.Type, told.SubjectId.ToString()));
        Assert.Null(OperationalEvent.EndpointOf(told.Type, told.SubjectId.ToString()));
        Assert.False(OperationalEvent.IsOne(told.Type, "a producer's key"));
    }

    private string[] Types() => [.. _scene.Told.Select(told => told.Type)];

    private void UseRate(int remaining) => _scene.Organization.Usage.NoteRate(new RateDecision(1, 100, remaining, 5));

    private void Take(int count)
    {
        for (var n = 0; n < count; n++) Assert.True(_scene.Quotas.TryTake(_scene.Organization));
    }
}
