using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Tests.Unit.Operations;

/// <summary>Who may log at which level.</summary>
public sealed class LoggingSetupTests
{
    [Theory]
    [InlineData("ZapierTriggers.Server.Anything", LogLevel.Information, true)]
    [InlineData("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning, true)]
    [InlineData("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Information, false)]
    // It would cost each request an Activity and a log scope.
    [InlineData("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Critical, false)]
    public void The_framework_logs_from_warning_on_and_its_diagnostics_never(string category, LogLevel level, bool isEnabled)
    {
        var configuration = new ConfigurationBuilder().Build();
        using var services = new ServiceCollection()
            .AddLogging(logging => LoggingSetup.Configure(logging, new LogOptions(), configuration, terminal: false))
            .BuildServiceProvider();

        Assert.Equal(isEnabled, services.GetRequiredService<ILoggerFactory>().CreateLogger(category).IsEnabled(level));
    }
}
