using Microsoft.Extensions.Configuration;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Tests.Unit.Configuration;

public sealed class ConfigShowTests
{
    [Fact]
    public void Each_setting_says_what_it_is_and_where_it_was_given()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, """{"Ingest": {"AckWhen": "stored"}, "Http": {"Port": 1}}""");
        var configuration = new ConfigurationBuilder().AddJsonFile(file).AddCommandLine(["--Http:Port=9000", "--LOG_LEVEL=warn"]).Build();

        var all = ServerSettings.Show(configuration, development: false).ToDictionary(one => one.Key, StringComparer.Ordinal);

        Assert.Equal(("stored", $"file {Path.GetFileName(file)}"), (all["Ingest:AckWhen"].Value, all["Ingest:AckWhen"].Source));
        Assert.Equal(("9000", "command line"), (all["Http:Port"].Value, all["Http:Port"].Source));
        Assert.Equal(("warning", "command line (LOG_LEVEL)"), (all["Log:Level"].Value, all["Log:Level"].Source));
        Assert.Equal(("4GiB", "default"), (all["Journal:MaxBytes"].Value, all["Journal:MaxBytes"].Source));
        Assert.Equal(ServerSettings.Describe().Select(setting => setting.Key), all.Keys);
        File.Delete(file);
    }

    [Fact]
    public void Secrets_are_masked()
    {
        using var output = new StringWriter();

        ConfigShowCommand.Run(
            ["--Admin:Token=secret-of-the-admin", "--DATABASE_URL=postgres://me:hunter22@host/db", "--Delivery:Proxy=http://u:hunter22@proxy:3128"], output);

        var text = output.ToString();
        Assert.DoesNotContain("secret-of-the-admin", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter22", text, StringComparison.Ordinal);
        Assert.Matches(@"Storage:ConnectionString +\*+ \(not shown\) +command line \(DATABASE_URL\)", text);
    }

    [Fact]
    public void All_errors_are_told_at_once()
    {
        var refused = Assert.Throws<StartupException>(
            () => ConfigShowCommand.Run(["--Http:Prot=1", "--Ingest:AckWhen=never"], TextWriter.Null));

        Assert.Contains("did you mean Http:Port?", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Ingest:AckWhen = \"never\" is not allowed", refused.Message, StringComparison.Ordinal);
    }
}
