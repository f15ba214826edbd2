using CsCheck;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset Now = new(1994, 11, 6, 8, 49, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("37", 37)]
    [InlineData(" 120 ", 120)]
    [InlineData("00000000000000000007", 7)]
    [InlineData("86401", 86_400)]
    [InlineData("9999999999", 86_400)]
    [InlineData("99999999999999999999999999999999999999", 86_400)]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", 37)]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", 37)]
    [InlineData("Sun Nov  6 08:49:37 1994", 37)]
    [InlineData("Sun, 06 Nov 1994 08:00:00 GMT", 0)]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT", 86_400)]
    public void Seconds_and_dates_are_read_and_clamped(string value, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), RetryAfter.Parse(value, Now));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-5")]
    [InlineData("1.5")]
    [InlineData("soon")]
    [InlineData("10, 20")]
    public void Anything_else_is_ignored(string? value) => Assert.Null(RetryAfter.Parse(value, Now));

    [Fact]
    public void No_text_throws_or_leaves_the_bounds()
    {
        Gen.OneOf(Gen.String, Gen.String[Gen.Char['0', '9'], 1, 60]).Sample(text =>
        {
            var wait = RetryAfter.Parse(text, Now) ?? TimeSpan.Zero;
            Assert.InRange(wait, TimeSpan.Zero, RetryAfter.Longest);
        });
    }
}
