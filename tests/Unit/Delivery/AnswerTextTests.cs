using System.Text;
using CsCheck;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class AnswerTextTests
{
    [Theory]
    [InlineData("plain, with\ttab and\nlines", "plain, with\ttab and\nlines")]
    [InlineData("a\r\nb", "a\nb")]
    [InlineData("nul\0bell\a", "nul\uFFFDbell\uFFFD")]
    [InlineData("left\u202Eright", "left\uFFFDright")]
    [InlineData("\u001b[31mred", "\uFFFD[31mred")]
    [InlineData("日本 🙂", "日本 🙂")]
    public void Only_what_prints_is_kept(string answer, string kept) =>
        Assert.Equal(kept, AnswerText.Sanitise(Encoding.UTF8.GetBytes(answer)));

    [Fact]
    public void A_character_cut_off_at_the_end_is_left_out() => Assert.Equal("a", AnswerText.Sanitise([(byte)'a', 0xE6, 0x97]));

    [Fact]
    public void Nothing_left_is_null()
    {
        Assert.Null(AnswerText.Sanitise([]));
        Assert.Null(AnswerText.Sanitise("\r"u8));
    }

    [Fact]
    public void Any_bytes_become_text_without_controls()
    {
        Gen.Byte.Array[0, 5000].Sample(bytes =>
        {
            var text = AnswerText.Sanitise(bytes) ?? "";
            Assert.DoesNotContain(text, c => char.IsControl(c) && c is not ('\n' or '\t'));
            Assert.Equal(text, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
        });
    }
}
