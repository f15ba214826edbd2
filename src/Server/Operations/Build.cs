using System.Reflection;

namespace ZapierTriggers.Server.Operations;

/// <summary>Which build this is.</summary>
internal static class Build
{
    /// <summary>The version without the build's own suffix, such as <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        typeof(Build).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";
}
