using CsCheck;
using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Tests.Unit.Configuration;

public sealed class SettingTextTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("50ms", 50)]
    [InlineData("1.5s", 1_500)]
    [InlineData("10 s", 10_000)]
    [InlineData("2m", 120_000)]
    [InlineData("10min", 600_000)]
    [InlineData("24H", 86_400_000)]
    [InlineData("7d", 604_800_000)]
    [InlineData("00:00:10", 10_000)]
    [InlineData("00:00:00.050", 50)]
    [InlineData("1.00:00:00", 86_400_000)]
    public void Durations_are_read(string text, double milliseconds)
    {
        Assert.True(SettingText.TryReadDuration(text, out var duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("5 parsecs")]
    [InlineData("1e3s")]
    [InlineData("1,5s")]
    [InlineData("99999999999999d")]
    [InlineData("25:99:00")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(SettingText.TryReadDuration(text, out _));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("4096", 4096)]
    [InlineData("64MiB", 64L << 20)]
    [InlineData("64 mib", 64L << 20)]
    [InlineData("4GiB", 4L << 30)]
    [InlineData("1.5KiB", 1536)]
    [InlineData("500KB", 500_000)]
    [InlineData("12B", 12)]
    public void Sizes_are_read(string text, long bytes)
    {
        Assert.True(SettingText.TryReadSize(text, out var size));
        Assert.Equal(bytes, size);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("-1")]
    [InlineData("1_000")]
    [InlineData("0x10")]
    [InlineData("9999999999TiB")]
    public void What_is_no_size_is_refused(string text) => Assert.False(SettingText.TryReadSize(text, out _));

    [Theory]
    [InlineData("TRUE", true)]
    [InlineData("1", true)]
    [InlineData("on", true)]
    [InlineData("yes", true)]
    [InlineData("False", false)]
    [InlineData("0", false)]
    [InlineData("off", false)]
    [InlineData("no", false)]
    public void Switches_are_read(string text, bool expected)
    {
        Assert.True(SettingText.TryReadSwitch(text, out var value));
        Assert.Equal(expected, value);
    }

    [Fact]
    public void A_written_size_reads_back_as_itself() => Gen.Long[0, 1L << 50].Sample(bytes =>
        SettingText.TryReadSize(SettingText.FormatSize(bytes), out var read) && read == bytes);

    [Fact]
    public void A_written_duration_reads_back_as_itself() => Gen.Long[0, TimeSpan.TicksPerDay * 30].Sample(ticks =>
        SettingText.TryReadDuration(SettingText.FormatDuration(new TimeSpan(ticks)), out var read) && read.Ticks == ticks);

    [Theory]
    [InlineData("50ms", "50ms")]
    [InlineData("00:10:00", "10min")]
    [InlineData("24h", "24h")]
    [InlineData("72h", "3d")]
    [InlineData("90s", "90s")]
    public void Durations_are_written_with_the_largest_unit(string text, string expected)
    {
        Assert.True(SettingText.TryReadDuration(text, out var duration));
        Assert.Equal(expected, SettingText.FormatDuration(duration));
    }
}
