using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Limits;

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
