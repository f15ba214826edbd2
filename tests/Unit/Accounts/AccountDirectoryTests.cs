using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Unit.Accounts;

public sealed class AccountDirectoryTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2025, 3, 1, 12, 0, 30, TimeSpan.Zero));
    private readonly AccountDirectory _directory;

    public AccountDirectoryTests() => _directory = new AccountDirectory(_time);

    [Fact]
    public void A_known_key_is_found_by_its_text_the_first_and_the_next_time()
    {
        var (organization, _, text) = Add();
        Assert.Same(_directory.FindByNo(organization.No), _directory.Authenticate(text)?.Organization);
        Assert.Same(_directory.FindByNo(organization.No), _directory.Authenticate(text)?.Organization);
    }

    [Fact]
    public void Unknown_malformed_and_empty_keys_are_refused()
    {
        var (organization, _, text) = Add();
        Assert.Null(_directory.Authenticate(KeyFormat.NewKey(live: true, organization.Route)));
        Assert.Null(_directory.Authenticate(text.AsSpan(0, text.Length - 1)));
        Assert.Null(_directory.Authenticate(text + "0"));
        Assert.Null(_directory.Authenticate(text.ToUpperInvariant()));
        Assert.Null(_directory.Authenticate(""));
    }

    [Fact]
    public void Rotation_without_grace_stops_a_remembered_key_at_once()
    {
        var (organization, _, old) = Add();
        var oldKey = _directory.Authenticate(old)!;
        var (record, text) = NewKey(organization);

        _directory.Rotate(oldKey, record, _time.GetUtcNow());

        Assert.Null(_directory.Authenticate(old));
        Assert.NotNull(_directory.Authenticate(text));
        Assert.Equal([record.Id], _directory.KeysOf(oldKey.Organization).Select(key => key.Record.Id));
    }

    [Fact]
    public void With_grace_both_keys_are_valid_until_its_end()
    {
        var (organization, _, old) = Add();
        var oldKey = _directory.Authenticate(old)!;
        var (record, text) = NewKey(organization);

        _directory.Rotate(oldKey, record, _time.GetUtcNow().AddSeconds(60));

        _time.Advance(TimeSpan.FromMilliseconds(59_999));
        Assert.NotNull(_directory.Authenticate(old));
        Assert.Equal(2, _directory.KeysOf(oldKey.Organization).Count);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(_directory.Authenticate(old));
        Assert.NotNull(_directory.Authenticate(text));
    }

    [Fact]
    public void A_second_rotation_does_not_give_the_old_key_more_time()
    {
        var (organization, _, old) = Add();
        var oldKey = _directory.Authenticate(old)!;
        _directory.Rotate(oldKey, NewKey(organization).Record, _time.GetUtcNow().AddSeconds(10));
        _directory.Rotate(oldKey, NewKey(organization).Record, _time.GetUtcNow().AddDays(7));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(_directory.Authenticate(old));
    }

    [Fact]
    public void Ended_keys_are_forgotten_and_the_others_stay()
    {
        var (organization, _, old) = Add();
        var (record, text) = NewKey(organization);
        _directory.Rotate(_directory.Authenticate(old)!, record, _time.GetUtcNow());
        _directory.RemoveEnded();
        Assert.Null(_directory.Authenticate(old));
        Assert.NotNull(_directory.Authenticate(text));
    }

    [Fact]
    public void What_was_loaded_is_found_and_an_expired_key_is_not()
    {
        var organization = NewAccount.Organization("Acme", Tier.Default, _time.GetUtcNow());
        var (valid, validText) = NewKey(organization);
        var (expired, expiredText) = NewKey(organization);
        _directory.Load(new AccountSnapshot([organization], [valid, expired with { ExpiresAt = _time.GetUtcNow() }]));
        Assert.Equal(valid.Id, _directory.Authenticate(validText)?.Record.Id);
        Assert.Null(_directory.Authenticate(expiredText));
        Assert.Equal(organization, _directory.FindByNo(organization.No)?.Record);
        Assert.Null(_directory.FindByNo(organization.No ^ 1));
    }

    [Fact]
    public void A_key_without_its_organization_refuses_the_load()
    {
        var organization = NewAccount.Organization("Acme", Tier.Default, _time.GetUtcNow());
        var refused = Assert.Throws<InvalidDataException>(() => _directory.Load(new AccountSnapshot([], [NewKey(organization).Record])));
        Assert.Contains(
            organization.No.ToString(System.Globalization.CultureInfo.InvariantCulture), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Uses_are_drained_once_to_the_minute()
    {
        var (_, key, text) = Add();
        Assert.Empty(_directory.DrainUses());
        _directory.Authenticate(text);
        _directory.Authenticate(text);
        Assert.Equal([(key.Id, new DateTimeOffset(2025, 3, 1, 12, 0, 0, TimeSpan.Zero))], _directory.DrainUses());
        _directory.Authenticate(text);
        Assert.Empty(_directory.DrainUses());
        _time.Advance(TimeSpan.FromMinutes(1));
        _directory.Authenticate(text);
        Assert.Single(_directory.DrainUses());
    }

    [Fact]
    public void Finding_a_remembered_key_allocates_nothing()
    {
        var (_, _, text) = Add();
        for (var i = 0; i < 100; i++) _directory.Authenticate(text, 1_000_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) _directory.Authenticate(text, 1_000_000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void More_keys_than_the_cache_has_places_are_all_found()
    {
        var texts = Enumerable.Range(0, 20_000).Select(_ => Add().Text).ToList();
        foreach (var text in texts) Assert.NotNull(_directory.Authenticate(text));
        foreach (var text in texts) Assert.Equal(text[..KeyFormat.PrefixLength], _directory.Authenticate(text)?.Record.Prefix);
    }

    [Fact]
    public void A_change_of_the_limit_counts_for_the_same_organization()
    {
        var (record, _, _) = Add();
        var organization = _directory.FindByNo(record.No)!;
        _directory.Change(organization, present => present with { RateLimitPerMinute = 7 });
        Assert.Equal(7, organization.Window.Limit);
        _directory.Change(organization, present => present with { RateLimitPerMinute = null });
        Assert.Equal(int.MaxValue, organization.Window.Limit);
    }

    private (OrganizationRecord Organization, ApiKeyRecord Key, string Text) Add()
    {
        var organization = NewAccount.Organization("Acme", Tier.Default, _time.GetUtcNow());
        var (record, text) = NewKey(organization);
        _directory.Add(organization, record);
        return (organization, record, text);
    }

    private (ApiKeyRecord Record, string Text) NewKey(OrganizationRecord organization) =>
        NewAccount.Key(organization, live: true, "default", KeyScopes.All.ToText(), _time.GetUtcNow());
}
