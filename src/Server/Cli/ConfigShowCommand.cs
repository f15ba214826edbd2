using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Server.Cli;

/// <summary>
/// <c>config show</c>: what each setting is and where it was given, for the same files, environment and arguments as the server's.
/// </summary>
internal static class ConfigShowCommand
{
    /// <summary>
    /// Prints one line for each setting; secrets are masked. Throws <see cref="Core.Operations.StartupException"/> with all errors at once.
    /// </summary>
    public static void Run(string[] args, TextWriter output)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        var all = ServerSettings.Show(builder.Configuration, builder.Environment.IsDevelopment());
        output.WriteLine($"environment {builder.Environment.EnvironmentName}");
        var (keys, values) = (all.Max(one => one.Key.Length), Math.Min(48, all.Max(one => Shown(one).Length)));
        foreach (var one in all) output.WriteLine($"{one.Key.PadRight(keys)}  {Shown(one).PadRight(values)}  {one.Source}");
    }

    private static string Shown(EffectiveSetting one) => one.Value.Length == 0 ? "-" : one.Value;
}
