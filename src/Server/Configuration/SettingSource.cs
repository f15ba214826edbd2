using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace ZapierTriggers.Server.Configuration;

/// <summary>Names the place where a setting was given.</summary>
internal static class SettingSource
{
    /// <summary>The place in words, with the name it was given under when that is not its key.</summary>
    public static string Of(IConfigurationProvider provider, string name, string key)
    {
        var place = provider switch
        {
            EnvironmentVariablesConfigurationProvider => "environment",
            CommandLineConfigurationProvider => "command line",
            FileConfigurationProvider { Source.Path: { } path } => $"file {path}",
            ChainedConfigurationProvider => "environment",
            _ => "program",
        };
        return name == key ? place : $"{place} ({name})";
    }
}
