using ZapierTriggers.Load.Core.CommandLine;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class LoadArgumentsTests
{
    [Fact]
    public void Options_have_values_flags_have_none()
    {
        var arguments = Arguments.Parse(["--rate", "2.5", "--webhooks", "--percents", "10,50,110", "--url", "http://localhost:1"]);
        Assert.Equal(2.5, arguments.Number("--rate", 1));
        Assert.True(arguments.Flag("--webhooks"));
        Assert.False(arguments.Flag("--no-audit"));
        Assert.Equal([10, 50, 110], arguments.Counts("--percents", [1]));
        Assert.Equal(7, arguments.Count("--items", 7));
        Assert.Null(arguments.Count("--items"));
        Assert.Null(arguments.Number("--capacity"));
        Assert.Equal(2.5, arguments.Number("--rate"));
        Assert.Equal("http://localhost:1/", arguments.Url("--url").ToString());
        arguments.RefuseOthers();
    }

    [Fact]
    public void What_cannot_be_carried_out_is_told()
    {
        Assert.Throws<UsageException>(() => Arguments.Parse(["rate"]));
        Assert.Throws<UsageException>(() => Arguments.Parse(["--rate", "1", "--rate", "2"]));
        Assert.Throws<UsageException>(() => Arguments.Parse(["--rate", "-1"]).Number("--rate", 1));
        Assert.Throws<UsageException>(() => Arguments.Parse(["--items", "0"]).Count("--items", 1));
        Assert.Throws<UsageException>(() => Arguments.Parse(["--items"]).Count("--items"));
        Assert.Throws<UsageException>(() => Arguments.Parse(["--capacity", "x"]).Number("--capacity"));
        Assert.Throws<UsageException>(() => Arguments.Parse(["--webhooks", "yes"]).Flag("--webhooks"));
        Assert.Throws<UsageException>(() => Arguments.Parse(["--url", "https://x/y"]).Url("--url"));
        Assert.Throws<UsageException>(() => Arguments.Parse(["--unheard-of"]).RefuseOthers());
    }
}
