using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Configuration;

/// <summary>The settings of the way of an event: taken in, journaled, deduplicated, delivered.</summary>
internal static class EventSections
{
    public static IngestOptions Ingest(SettingsReader read)
    {
        var defaults = new IngestOptions();
        return new IngestOptions
        {
            AckWhen = read.Get(
                "Ingest:AckWhen", defaults.AckWhen, SettingKind.OneOf<AckWhen>(),
                "Which failure an answered 202 survives: `journaled` a killed process, `synced` a power cut too, `stored` whatever the database survives."),
            QueueBytes = read.Get(
                "Ingest:QueueBytes", defaults.QueueBytes, SettingKind.Size(1L << 20, 64L << 30),
                "The most payload bytes that wait in memory for the journal, never over an eighth of the memory there is; past it events are refused (503)."),
        };
    }

    public static JournalOptions Journal(SettingsReader read)
    {
        var defaults = new JournalOptions();
        var options = new JournalOptions
        {
            RingBytes = read.Get(
                "Journal:RingBytes", defaults.RingBytes, SettingKind.Size(1L << 20, 64L << 20),
                "Memory-mapped file that holds what is not flushed yet, never over an eighth of the memory there is."),
            SegmentBytes = read.Get(
                "Journal:SegmentBytes", defaults.SegmentBytes, SettingKind.Size(1L << 20, 1L << 30),
                "Size of one segment file, allocated ahead."),
            FlushInterval = read.Get(
                "Journal:FlushInterval", defaults.FlushInterval,
                SettingKind.Duration(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10)),
                "The longest an event waits for its flush when nobody waits for it: what a power cut can take in `journaled` mode."),
            MaxBytes = read.Get(
                "Journal:MaxBytes", defaults.MaxBytes, SettingKind.Size(4L << 20, 16L << 40),
                "The most bytes that wait for the store; past it events are refused (503) until half is free."),
            RetainFor = read.Get(
                "Journal:RetainFor", defaults.RetainFor, SettingKind.Duration(TimeSpan.Zero, TimeSpan.FromDays(7)),
                "How long stored segments are kept, for a database failover that loses commits."),
        };
        var least = 2 * options.SegmentBytes;
        read.Require(
            options.MaxBytes >= least,
            $"Journal:MaxBytes = {SettingText.FormatSize(options.MaxBytes)} is too small; use at least two segments (Journal:SegmentBytes), {SettingText.FormatSize(least)}.");
        return options;
    }

    public static RetentionOptions Retention(SettingsReader read)
    {
        var defaults = new RetentionOptions();
        return new RetentionOptions
        {
            FreeDays = Days("Retention:FreeDays", defaults.FreeDays, "free"),
            ProDays = Days("Retention:ProDays", defaults.ProDays, "pro"),
            BusinessDays = Days("Retention:BusinessDays", defaults.BusinessDays, "business"),
            EnterpriseDays = Days("Retention:EnterpriseDays", defaults.EnterpriseDays, "enterprise"),
        };

        int Days(string key, int value, string tier) => read.Get(
            key, value, SettingKind.Number(0, 36_500, "days"),
            $"How long the events of organizations of the tier `{tier}` are kept, with all that hangs on them; 0 = for ever.");
    }

    public static QuotaOptions Quota(SettingsReader read)
    {
        var defaults = new QuotaOptions();
        return new QuotaOptions
        {
            Enabled = read.Get(
                "Quota:Enabled", defaults.Enabled, SettingKind.Switch,
                "Whether organizations have a quota of events in a UTC month; past it they are refused (429)."),
            Free = PerMonth("Quota:PerMonth:Free", defaults.Free, "free"),
            Pro = PerMonth("Quota:PerMonth:Pro", defaults.Pro, "pro"),
            Business = PerMonth("Quota:PerMonth:Business", defaults.Business, "business"),
            Enterprise = PerMonth("Quota:PerMonth:Enterprise", defaults.Enterprise, "enterprise"),
        };

        int PerMonth(string key, int value, string tier) => read.Get(
            key, value, SettingKind.Number(0, int.MaxValue, "events"),
            $"How many events organizations of the tier `{tier}` may send in a UTC month while quotas are on; 0 = any number.");
    }

    public static UsageOptions Usage(SettingsReader read) => new()
    {
        Warnings = read.Get(
            "Usage:Warnings", new UsageOptions().Warnings, SettingKind.Switch,
            "Whether organizations are told at 80 % and at all of their rate limit and quota, by events in their own inbox (with `Delivery:OperationalEvents`)."),
    };

    public static DedupOptions Dedup(SettingsReader read) => new()
    {
        MaxEntries = read.Get(
            "Dedup:MaxEntries", new DedupOptions().MaxEntries, SettingKind.Number(0, 200_000_000, "ids"),
            "Dedup ids held in memory, about 50 bytes each, never over an eighth of the memory there is; older ones of the last 24 h are looked up in the store."),
        FilterBytes = read.Get(
            "Dedup:FilterBytes", new DedupOptions().FilterBytes, SettingKind.Size(0, 1L << 30),
            "Memory for filters of dedup ids that are no longer held, 2 bytes each: an id that is in none of them is new, and not looked up. Never over a sixteenth of the memory there is."),
    };

    public static DeliveryOptions Delivery(SettingsReader read, bool development)
    {
        var defaults = new DeliveryOptions();
        var disabled = read.Get(
            "DISABLE_WEBHOOK_DELIVERY", false, SettingKind.Switch,
            "Holds all webhooks, whatever `Delivery:Enabled` says.");
        return new DeliveryOptions
        {
            Enabled = read.Get(
                "Delivery:Enabled", defaults.Enabled, SettingKind.Switch,
                "Whether webhooks are sent; off holds them, nothing is lost.") && !disabled,
            AllowPrivateNetworks = read.Get(
                "Delivery:AllowPrivateNetworks", development, SettingKind.Switch,
                "Whether webhooks may go to private and loopback addresses. On by default in Development."),
            AllowedNetworks = read.Get(
                "Delivery:AllowedNetworks", defaults.AllowedNetworks, SettingKind.ListOf(SettingKind.Network, 64),
                "Networks that webhooks may go to, whatever they are."),
            Proxy = read.Get(
                "Delivery:Proxy", defaults.Proxy, SettingKind.Proxy,
                "An HTTP proxy that all webhooks go through. It resolves their names, so it must refuse private ones itself; literal ones are refused here too."),
            MaxInFlight = read.Get(
                "Delivery:MaxInFlight", defaults.MaxInFlight, SettingKind.Number(1, 10_000, "tries"),
                "Webhook tries in flight at the same time, over all endpoints."),
            MaxInFlightPerEndpoint = read.Get(
                "Delivery:MaxInFlightPerEndpoint", defaults.MaxInFlightPerEndpoint, SettingKind.Number(1, 10_000, "tries"),
                "Webhook tries in flight at the same time to one endpoint, at the most."),
            SlowAfter = read.Get(
                "Delivery:SlowAfter", defaults.SlowAfter, SettingKind.Duration(TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(5)),
                "A try in flight for longer gives its place up to others; its endpoint takes turns with slow ones only until it answers sooner."),
            MaxSlowInFlight = read.Get(
                "Delivery:MaxSlowInFlight", defaults.MaxSlowInFlight, SettingKind.Number(0, 100_000, "tries"),
                "Slow tries in flight at the same time; past it they keep their places among the others."),
            MaxEndpoints = read.Get(
                "Delivery:MaxEndpoints", defaults.MaxEndpoints, SettingKind.Number(1, 1_000, "endpoints"),
                "Webhook endpoints of one organization, at the most."),
            FailingAfter = read.Get(
                "Delivery:FailingAfter", defaults.FailingAfter, SettingKind.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromDays(7)),
                "An endpoint that has failed for so long without a success is told to its organization (`endpoint.failing`)."),
            DisableAfter = read.Get(
                "Delivery:DisableAfter", defaults.DisableAfter, SettingKind.Duration(TimeSpan.Zero, TimeSpan.FromDays(365)),
                "An endpoint that has failed for so long without a success is disabled, a day after a warning; 0 = never."),
            OrderingWait = read.Get(
                "Delivery:OrderingWait", defaults.OrderingWait, SettingKind.Duration(TimeSpan.Zero, TimeSpan.FromDays(1)),
                "How long the events of an ordering key wait for an earlier one that has failed, at endpoints with `ordering` = `key`."),
            CatchUpPerSecond = read.Get(
                "Delivery:CatchUpPerSecond", defaults.CatchUpPerSecond, SettingKind.Number(0, StartRate.Most, "events"),
                "How many of the events held while an endpoint was disabled go out in a second once it is enabled; 0 = any number."),
            OperationalEvents = read.Get(
                "Delivery:OperationalEvents", defaults.OperationalEvents, SettingKind.Switch,
                "Whether organizations are told of failing endpoints and dead letters, by events in their own inbox."),
            Timeout = read.Get(
                "Delivery:Timeout", defaults.Timeout, SettingKind.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)),
                "One deadline over DNS, connect, TLS, send and answer of a try."),
            RetrySchedule = read.Get(
                "Delivery:RetrySchedule", defaults.RetrySchedule,
                SettingKind.ListOf(SettingKind.Duration(TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(7)), 32),
                "Waits before the second, third, … try; when used up the event is a dead letter."),
        };
    }
}
