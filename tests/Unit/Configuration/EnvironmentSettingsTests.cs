using Microsoft.Extensions.Configuration;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Tests.Unit.Configuration;

public sealed class EnvironmentSettingsTests
{
    // A prefix keeps the variables of this test apart from those of the machine.
    private const string Prefix = "ZAP_TEST_SETTINGS_";

    [Fact]
    public void The_environment_may_hold_anything_outside_our_sections()
    {
        using var editor = Set("EDITOR__NAME", "vi");
        using var path = Set("UNRELATED", "x");
        using var ours = Set("Ingest__AckWhen", "synced");

        Assert.Equal(AckWhen.Synced, Load().Ingest.AckWhen);
    }

    [Fact]
    public void A_misspelt_variable_of_our_sections_is_refused()
    {
        using var ours = Set("Ingest__AckWhenn", "synced");

        Assert.Contains("did you mean Ingest:AckWhen?", Assert.Throws<StartupException>(Load).Message, StringComparison.Ordinal);
    }

    private static ServerSettings Load() =>
        ServerSettings.Load(new ConfigurationBuilder().AddEnvironmentVariables(Prefix).Build(), development: false);

    private static Variable Set(string name, string value) => new(Prefix + name, value);

    private sealed class Variable : IDisposable
    {
        private readonly string _name;

        public Variable(string name, string value)
        {
            _name = name;
            Environment.SetEnvironmentVariable(name, value);
        }

        public void Dispose() => Environment.SetEnvironmentVariable(_name, null);
    }
}
