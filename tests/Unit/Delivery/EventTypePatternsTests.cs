using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class EventTypePatternsTests
{
    [Theory]
    [InlineData("*", "anything", true)]
    [InlineData("*", "", true)]
    [InlineData("user.*", "user.created", true)]
    [InlineData("user.*", "user.", true)]
    [InlineData("user.*", "user.a.b", true)]
    [InlineData("user.*", "user", false)]
    [InlineData("user.*", "users.created", false)]
    [InlineData("user.*", "User.created", false)]
    [InlineData("user.*", "a.user.created", false)]
    [InlineData("a.b.*", "a.b.c", true)]
    [InlineData("a.b.*", "a.c", false)]
    [InlineData("user.created", "user.created", true)]
    [InlineData("user.created", "user.created.x", false)]
    [InlineData("user.created", "user.create", false)]
    [InlineData("größe", "größe", true)]
    public void A_pattern_matches_by_its_whole_or_its_beginning(string pattern, string type, bool matches)
    {
        var patterns = new EventTypePatterns(["never", pattern]);

        Assert.Equal(matches, patterns.Matches(type));
        Assert.Equal(matches ? pattern : null, patterns.Find(type));
        // The lists that stores compare by say the same.
        Assert.Equal(matches, patterns.MatchesAll || patterns.Exact.Contains(type) || patterns.Prefixes.Any(
            prefix => type.StartsWith(prefix, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("*", true)]
    [InlineData("a", true)]
    [InlineData("a.*", true)]
    [InlineData("a..*", true)]
    [InlineData("", false)]
    [InlineData(".*", false)]
    [InlineData("**", false)]
    [InlineData("a*", false)]
    [InlineData("*.a", false)]
    [InlineData("a.*.b", false)]
    [InlineData("*.*", false)]
    [InlineData("a.**", false)]
    [InlineData("a\u0000", false)]
    [InlineData("a\n", false)]
    public void The_star_stands_alone_or_last(string text, bool isPattern) => Assert.Equal(isPattern, EventTypePatterns.IsPattern(text));

    [Fact]
    public void Length_is_counted_in_characters()
    {
        Assert.True(EventTypePatterns.IsPattern(string.Concat(Enumerable.Repeat("😀", 255))));
        Assert.False(EventTypePatterns.IsPattern(new string('a', 256)));
    }

    [Fact]
    public void Lists_are_equal_by_their_patterns()
    {
        Assert.Equal(new EventTypePatterns(["a", "b.*"]), new EventTypePatterns(["a", "b.*"]));
        Assert.NotEqual(new EventTypePatterns(["a", "b.*"]), new EventTypePatterns(["b.*", "a"]));
        Assert.Equal("a, b.*", new EventTypePatterns(["a", "b.*"]).ToString());
    }
}
