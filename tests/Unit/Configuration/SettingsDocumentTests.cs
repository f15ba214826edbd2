using System.Text.RegularExpressions;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Storage;

namespace ZapierTriggers.Tests.Unit.Configuration;

public sealed partial class SettingsDocumentTests
{
    [Fact]
    public void The_page_is_what_the_program_makes() =>
        Assert.Equal(SettingsDocument.Markdown(), RepositoryRoot.Read("docs/settings.md"));

    [Fact]
    public void Every_option_of_the_records_can_be_set()
    {
        var keys = ServerSettings.Describe().Select(setting => setting.Key).ToHashSet(StringComparer.Ordinal);
        Type[] records = [typeof(HttpOptions), typeof(CorsOptions), typeof(AdminOptions), typeof(LogOptions), typeof(IngestOptions), typeof(JournalOptions),
            typeof(DedupOptions), typeof(StorageOptions), typeof(RegistrationOptions), typeof(DeliveryOptions)];
        foreach (var record in records)
        {
            var section = record.Name.Replace("Options", "", StringComparison.Ordinal);
            foreach (var property in record.GetProperties().Where(property => property.CanWrite))
                Assert.Contains($"{section}:{property.Name}", keys);
        }
    }

    [Fact]
    public void Every_setting_that_the_readme_names_exists()
    {
        var names = ServerSettings.Describe().SelectMany(setting => new[] { setting.Key, setting.Alias }).ToHashSet(StringComparer.Ordinal);
        var named = SettingName().Matches(RepositoryRoot.Read("README.md")).Select(
            match => match.Value.Trim('`').Replace("__", ":", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, names));
    }

    [GeneratedRegex(
        @"`(Http|Cors|Admin|Log|Ingest|Journal|Dedup|Storage|Registration|Delivery)(:|__)\w+`",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex SettingName();
}
