using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Storage;

namespace ZapierTriggers.Server.Configuration;

/// <summary>
/// Everything that can be set. A new setting is one property of its options record and one line in a section; its documentation follows
/// from that line.
/// </summary>
internal sealed record ServerSettings
{
    public required HttpOptions Http { get; init; }

    public required CorsOptions Cors { get; init; }

    public required AdminOptions Admin { get; init; }

    public required KeyOptions Keys { get; init; }

    public required LogOptions Log { get; init; }

    public required IngestOptions Ingest { get; init; }

    public required JournalOptions Journal { get; init; }

    public required DedupOptions Dedup { get; init; }

    public required StorageOptions Storage { get; init; }

    public required RetentionOptions Retention { get; init; }

    public required QuotaOptions Quota { get; init; }

    public required UsageOptions Usage { get; init; }

    public required RegistrationOptions Registration { get; init; }

    public required DeliveryOptions Delivery { get; init; }

    /// <summary>Reads and checks all settings. Throws one <see cref="StartupException"/> that lists every error.</summary>
    /// <param name="configuration">Where they are given: files, environment, command line.</param>
    /// <param name="development">Whether the environment is Development, where a few defaults are more open.</param>
    public static ServerSettings Load(IConfigurationRoot configuration, bool development) =>
        Load(new SettingsReader(configuration), development);

    /// <summary>What each setting is and where that was given. Throws like <see cref="Load(IConfigurationRoot, bool)"/>.</summary>
    public static IReadOnlyList<EffectiveSetting> Show(IConfigurationRoot configuration, bool development)
    {
        var read = new SettingsReader(configuration);
        Load(read, development);
        return read.Effective;
    }

    /// <summary>Every setting with its documentation; defaults are those outside Development.</summary>
    public static IReadOnlyList<Setting> Describe()
    {
        var read = new SettingsReader(new ConfigurationBuilder().Build());
        ReadAll(read, development: false);
        return read.Settings;
    }

    private static ServerSettings Load(SettingsReader read, bool development)
    {
        var settings = ReadAll(read, development);
        read.RefuseUnknown();
        if (read.Errors.Count == 0) return settings;

        var lines = read.Errors.Count == 1
            ? read.Errors[0]
            : $"{read.Errors.Count} settings are wrong.\n  {string.Join("\n  ", read.Errors)}";
        throw new StartupException(lines) { ExitCode = 2 };
    }

    private static ServerSettings ReadAll(SettingsReader read, bool development) => new()
    {
        Http = ServerSections.Http(read),
        Cors = ServerSections.Cors(read, development),
        Admin = ServerSections.Admin(read),
        Keys = ServerSections.Keys(read),
        Log = ServerSections.Log(read),
        Storage = ServerSections.Storage(read),
        Retention = EventSections.Retention(read),
        Quota = EventSections.Quota(read),
        Usage = EventSections.Usage(read),
        Registration = ServerSections.Registration(read, development),
        Ingest = EventSections.Ingest(read),
        Journal = EventSections.Journal(read),
        Dedup = EventSections.Dedup(read),
        Delivery = EventSections.Delivery(read, development),
    };
}
