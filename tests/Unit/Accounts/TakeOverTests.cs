using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Unit.Accounts;

/// <summary>
/// What another server has stored is taken over, but never in place of what a call of this process has changed meanwhile.
/// </summary>
public sealed class TakeOverTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2025, 3, 1, 12, 0, 30, TimeSpan.Zero));
    private readonly AccountDirectory _directory;
    private readonly OrganizationRecord _organization;
    private readonly ApiKeyRecord _key;
    private readonly string _text;

    public TakeOverTests()
    {
        _directory = new AccountDirectory(_time);
        _organization = NewAccount.Organization("Acme", Tier.Default, _time.GetUtcNow());
        (_key, _text) = NewKey();
        _directory.Add(_organization, _key);
    }

    [Fact]
    public void A_key_that_is_not_stored_any_more_ends_and_a_new_one_counts()
    {
        var (added, text) = NewKey();

        TakeOver(_organization, added);

        Assert.Null(_directory.Authenticate(_text));
        Assert.NotNull(_directory.Authenticate(text));
        Assert.Equal([added.Id], _directory.KeysOf(_directory.FindByNo(_organization.No)!).Select(key => key.Record.Id));
    }

    [Fact]
    public void A_remembered_key_keeps_its_place_and_gets_its_end()
    {
        var known = _directory.Authenticate(_text);

        TakeOver(_organization, _key with { ExpiresAt = _time.GetUtcNow().AddMinutes(1) });

        Assert.Same(known, _directory.Authenticate(_text));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(_directory.Authenticate(_text));
    }

    [Fact]
    public void Limit_and_suspension_change_in_place()
    {
        var organization = _directory.FindByNo(_organization.No)!;

        TakeOver(_organization with { RateLimitPerMinute = 7, SuspendedAt = _time.GetUtcNow() }, _key);

        Assert.Same(organization, _directory.FindByNo(_organization.No));
        Assert.Equal((7, true), (organization.Window.Limit, organization.IsSuspended));
        TakeOver(_organization, _key);
        Assert.False(organization.IsSuspended);
    }

    [Fact]
    public void Rows_read_before_a_change_of_this_process_are_not_taken()
    {
        var mark = _directory.ChangesOf(_organization.No);
        var organization = _directory.FindByNo(_organization.No)!;
        var (added, text) = NewKey();
        var told = new List<int>();
        _directory.ChangedHere = told.Add;

        _directory.Add(organization, added);

        Assert.Null(_directory.TakeOver(_organization.No, mark, _organization with { RateLimitPerMinute = 7 }, [_key]));
        Assert.NotNull(_directory.Authenticate(text));
        Assert.Equal(100, organization.Window.Limit);
        Assert.Equal([_organization.No], told);
    }

    [Fact]
    public void A_key_that_was_taken_over_before_its_call_came_back_is_one_key()
    {
        var (added, text) = NewKey();
        TakeOver(_organization, _key, added);

        var key = _directory.Add(_directory.FindByNo(_organization.No)!, added);

        Assert.Same(key, _directory.Authenticate(text));
        Assert.Equal(2, _directory.KeysOf(key.Organization).Count);
    }

    [Fact]
    public void One_that_is_gone_is_gone_and_a_new_one_is_there()
    {
        Assert.Null(_directory.TakeOver(_organization.No, _directory.ChangesOf(_organization.No), record: null, []));
        Assert.Null(_directory.Authenticate(_text));
        Assert.Null(_directory.FindById(_organization.Id));

        TakeOver(_organization, _key);
        Assert.NotNull(_directory.Authenticate(_text));
        Assert.NotNull(_directory.FindById(_organization.Id));
    }

    [Fact]
    public void Looking_a_key_up_allocates_nothing_whatever_its_scopes()
    {
        var (narrow, text) = NewAccount.Key(_organization, live: true, "narrow", "inbox:read", _time.GetUtcNow());
        _directory.Add(_directory.FindByNo(_organization.No)!, narrow);
        for (var i = 0; i < 100; i++) Assert.NotNull(_directory.Authenticate(text, 0));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var allowed = 0;
        for (var i = 0; i < 1_000; i++)
        {
            var key = _directory.Authenticate(text, 0)!;
            if ((key.Scopes & KeyScopes.InboxRead) == KeyScopes.InboxRead && !key.Organization.IsSuspended) allowed++;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1_000, allowed);
    }

    private void TakeOver(OrganizationRecord organization, params ApiKeyRecord[] keys) =>
        Assert.NotNull(_directory.TakeOver(organization.No, _directory.ChangesOf(organization.No), organization, keys));

    private (ApiKeyRecord Record, string Text) NewKey() =>
        NewAccount.Key(_organization, live: true, "default", KeyScopes.All.ToText(), _time.GetUtcNow());
}
