using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class LogLevelReloadTests
{
    [Fact]
    public void The_level_follows_the_settings_and_a_wrong_one_changes_nothing()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Log:Level", "warning")]).Build();
        using var services = new ServiceCollection()
            .AddLogging(
                logging => LoggingSetup.Configure(logging, new LogOptions { Level = LogLevel.Warning }, configuration, terminal: false))
            .BuildServiceProvider();
        var ours = services.GetRequiredService<ILoggerFactory>().CreateLogger("ZapierTriggers.Something");
        var framework = services.GetRequiredService<ILoggerFactory>().CreateLogger("Microsoft.Something");
        Assert.False(ours.IsEnabled(LogLevel.Information));

        Set("debug");
        Assert.True(ours.IsEnabled(LogLevel.Debug));
        Assert.False(framework.IsEnabled(LogLevel.Information));

        Set("no level");
        Assert.True(ours.IsEnabled(LogLevel.Debug));

        Set("error");
        Assert.False(ours.IsEnabled(LogLevel.Warning));
        Assert.False(framework.IsEnabled(LogLevel.Warning));

        void Set(string level)
        {
            configuration["Log:Level"] = level;
            configuration.Reload();
        }
    }
}
