using CsCheck;
using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Unit.Accounts;

public sealed class KeyFormatTests
{
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly Gen<string> Keys = Gen.Bool.Select(live => KeyFormat.NewKey(live, KeyFormat.NewRoute()));

    [Fact]
    public void A_key_has_the_documented_parts()
    {
        var key = KeyFormat.NewKey(live: true, "3xK9aP0q");
        Assert.Matches("^zap_live_3xK9aP0q[0-9A-Za-z]{43}[0-9A-Za-z]{6}$", key);
        Assert.Equal("zap_live_3xK9aP0q", KeyFormat.PrefixOf(key));
        Assert.StartsWith("zap_test_3xK9aP0q", KeyFormat.NewKey(live: false, "3xK9aP0q"), StringComparison.Ordinal);
    }

    /// <summary>Checksums computed with zlib, outside this program: they hold the format still.</summary>
    [Theory]
    [InlineData("zap_live_000000000000000000000000000000000000000000000000000", "1SIspY")]
    [InlineData("zap_test_3xK9aP0qABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq", "2rtWpu")]
    public void The_checksum_is_that_of_zip(string body, string checksum) => Assert.True(KeyFormat.IsWellFormed(body + checksum));

    [Fact]
    public void Every_new_key_is_well_formed() => Keys.Sample(key => KeyFormat.IsWellFormed(key));

    [Fact]
    public void Any_change_of_one_character_is_refused() =>
        Gen.Select(Keys, Gen.Int[0, KeyFormat.Length - 1], Gen.Char).Where((key, at, to) => key[at] != to).Sample((key, at, to) =>
            !KeyFormat.IsWellFormed(string.Concat(key.AsSpan(0, at), [to], key.AsSpan(at + 1))));

    [Fact]
    public void Any_change_to_another_base62_character_is_refused() =>
        Gen.Select(Keys, Gen.Int[9, KeyFormat.Length - 1], Gen.Int[0, 61]).Where((key, at, to) => key[at] != Base62[to])
            .Sample((key, at, to) =>
            !KeyFormat.IsWellFormed(string.Concat(key.AsSpan(0, at), [Base62[to]], key.AsSpan(at + 1))));

    [Fact]
    public void Two_neighbours_swapped_are_refused() =>
        Gen.Select(Keys, Gen.Int[0, KeyFormat.Length - 2]).Where((key, at) => key[at] != key[at + 1]).Sample((key, at) =>
            !KeyFormat.IsWellFormed(string.Concat(key.AsSpan(0, at), [key[at + 1], key[at]], key.AsSpan(at + 2))));

    [Fact]
    public void Text_of_any_kind_is_refused_without_an_exception() => Gen.String.Sample(text => !KeyFormat.IsWellFormed(text));

    [Fact]
    public void Too_short_and_too_long_are_refused() => Keys.Sample(key =>
        !KeyFormat.IsWellFormed(key.AsSpan(0, key.Length - 1)) && !KeyFormat.IsWellFormed(key + "0") && !KeyFormat.IsWellFormed(" " + key)
            && !KeyFormat.IsWellFormed(""));

    [Fact]
    public void Checking_allocates_nothing()
    {
        var key = KeyFormat.NewKey(live: true, KeyFormat.NewRoute());
        KeyFormat.IsWellFormed(key);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) KeyFormat.IsWellFormed(key);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Secrets_differ_and_use_the_whole_alphabet()
    {
        var keys = Enumerable.Range(0, 500).Select(_ => KeyFormat.NewKey(live: true, "00000000")).ToList();
        Assert.Equal(500, keys.Distinct().Count());
        Assert.Equal(62, keys.SelectMany(key => key[17..60]).Distinct().Count());
    }
}
