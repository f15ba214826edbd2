using System.Text;

namespace ZapierTriggers.Server.Configuration;

/// <summary>
/// Makes <c>docs/settings.md</c> from the settings themselves, so that the page cannot be wrong; a test compares the two.
/// </summary>
internal static class SettingsDocument
{
    private const string WithoutSection = "Without a section";

    private const string Introduction = """
        # Settings

        This page is made from the program: `dotnet run --project src/Server -- settings` prints it.

        Each setting can be given in `appsettings.json`, as an environment variable (`Section__Name`) or on the command line (`--Section:Name=value`); the
        later in this list wins. Some have a second, well-known name. Sizes are written `64MiB`, `4GiB` or as plain bytes, durations `50ms`, `10s`, `10min`, `24h`
        or `00:00:10`, lists with commas. An unknown key, or a value that is not allowed, stops the start with all errors at once.

        `config show`, with the settings of the server behind it, prints what each setting is and where it was given; secrets are masked. What is marked "read again while running"
        follows a change of `appsettings.json` at once; everything else counts from the next start.

        """;

    /// <summary>The page as Markdown.</summary>
    public static string Markdown()
    {
        var page = new StringBuilder(Introduction);
        foreach (var section in ServerSettings.Describe().GroupBy(SectionOf).OrderBy(section => section.Key == WithoutSection))
        {
            page.Append($"\n## {section.Key}\n\n| setting | default | what it does | allowed |\n|---|---|---|---|\n");
            foreach (var setting in section) page.Append(Row(setting));
        }

        return page.ToString();
    }

    private static string SectionOf(Setting setting) =>
        setting.Key.IndexOf(':', StringComparison.Ordinal) is var colon and > 0 ? setting.Key[..colon] : WithoutSection;

    private static string Row(Setting setting)
    {
        var name = setting.Alias is null ? $"`{setting.Key}`" : $"`{setting.Key}`, `{setting.Alias}`";
        var byDefault = setting.Default.Length == 0 ? "none" : $"`{setting.Default}`";
        return $"| {name} | {byDefault} | {setting.Description}{(setting.IsReloaded ? " Read again while running." : "")} | {setting.Allowed} |\n";
    }
}
