using System.Net;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Tests.Unit.Configuration;

public sealed class ServerSettingsTests
{
    [Fact]
    public void Nothing_given_is_localhost_8080_with_an_embedded_store()
    {
        var settings = Load();

        Assert.Equal(["http://localhost:8080"], settings.Http.Addresses);
        Assert.Null(settings.Storage.ConnectionString);
        Assert.Equal(AckWhen.Journaled, settings.Ingest.AckWhen);
        Assert.False(settings.Registration.Open);
        Assert.False(settings.Delivery.AllowPrivateNetworks);
        Assert.Empty(settings.Cors.AllowedOrigins);
        Assert.Equal(9, settings.Delivery.RetrySchedule.Count + 1);
    }

    [Fact]
    public void Development_is_more_open()
    {
        var settings = ServerSettings.Load(Given(), development: true);

        Assert.True(settings.Registration.Open);
        Assert.True(settings.Delivery.AllowPrivateNetworks);
        Assert.Equal(["*"], settings.Cors.AllowedOrigins);
    }

    [Fact]
    public void Development_can_be_closed_again() =>
        Assert.False(ServerSettings.Load(Given(("Registration:Open", "false")), development: true).Registration.Open);

    [Fact]
    public void All_errors_are_told_at_once_with_key_value_and_what_is_allowed()
    {
        var error = Refused(("Ingest:AckWhen", "never"), ("Journal:FlushInterval", "50"), ("Http:Port", "70000"), ("Journal:Color", "red"));

        Assert.Equal(2, error.ExitCode);
        Assert.Contains(
            "Ingest:AckWhen = \"never\" is not allowed; use one of journaled, synced, stored.", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "Journal:FlushInterval = \"50\" is not allowed; use a duration from 1ms to 10s", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "Http:Port = \"70000\" is not allowed; use a whole number from 0 to 65535 (TCP port).", error.Message,
            StringComparison.Ordinal);
        Assert.Contains("Journal:Color is not a setting", error.Message, StringComparison.Ordinal);
        Assert.StartsWith("4 settings are wrong.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Ingest:AckWen", "Ingest:AckWhen")]
    [InlineData("Injest:AckWhen", "Ingest:AckWhen")]
    [InlineData("DATABSE_URL", "DATABASE_URL")]
    [InlineData("journal:flushintervall", "Journal:FlushInterval")]
    [InlineData("Delivery:RetrySchedule:first", "Delivery:RetrySchedule")]
    public void An_unknown_key_is_refused_with_the_closest_one(string key, string suggestion) =>
        Assert.Contains($"{key} is not a setting; did you mean {suggestion}?", Refused((key, "1")).Message, StringComparison.Ordinal);

    [Fact]
    public void An_unknown_key_close_to_nothing_is_sent_to_the_page() =>
        Assert.Contains(
            "Weather:Tomorrow is not a setting; docs/settings.md lists them all.", Refused(("Weather:Tomorrow", "rain")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Keys_are_found_in_either_case_of_letters() =>
        Assert.Equal(AckWhen.Synced, Load(("INGEST:ACKWHEN", "Synced")).Ingest.AckWhen);

    [Fact]
    public void What_the_framework_reads_is_left_to_it() =>
        Load(("Kestrel:Limits:MaxRequestLineSize", "9000"), ("Logging:LogLevel:Default", "Debug"), ("AllowedHosts", "*"), ("environment", "x"));

    [Fact]
    public void Names_known_from_elsewhere_are_taken()
    {
        var settings = Load(
            ("DATABASE_URL", "postgres://u:p@db.example/zap"), ("PORT", "9000"), ("HOST", "0.0.0.0"), ("LOG_LEVEL", "warn"),
            ("DISABLE_WEBHOOK_DELIVERY", "true"), ("ADMIN_TOKEN", "a-token-of-mine"));

        Assert.Equal("postgres://u:p@db.example/zap", settings.Storage.ConnectionString);
        Assert.Equal(["http://0.0.0.0:9000"], settings.Http.Addresses);
        Assert.Equal(LogLevel.Warning, settings.Log.Level);
        Assert.False(settings.Delivery.Enabled);
        Assert.Equal("a-token-of-mine", settings.Admin.Token);
    }

    [Theory]
    [InlineData("http://0.0.0.0:5000")]
    [InlineData("http://*:5000")]
    [InlineData("http://localhost:5000")]
    public void Urls_stand_above_host_and_port(string url) => Assert.Equal([url], Load(("urls", url), ("PORT", "9000")).Http.Addresses);

    [Theory]
    [InlineData("localhost", "http://127.0.0.1:0")]
    [InlineData("::1", "http://[::1]:0")]
    [InlineData("[::1]", "http://[::1]:0")]
    public void A_free_port_is_asked_for_on_one_address(string host, string url) =>
        Assert.Equal([url], Load(("HOST", host), ("PORT", "0")).Http.Addresses);

    [Fact]
    public void A_container_image_s_port_is_on_every_address_and_PORT_still_wins()
    {
        Assert.Equal(["http://*:8081"], Load(("HTTP_PORTS", "8081")).Http.Addresses);
        Assert.Equal(["http://*:9000"], Load(("HTTP_PORTS", "8081"), ("PORT", "9000")).Http.Addresses);
    }

    [Fact]
    public void The_later_provider_wins_whichever_name_it_uses()
    {
        var fileFirst = new ConfigurationBuilder().AddInMemoryCollection(Pairs(("Http:Port", "1")))
            .AddInMemoryCollection(Pairs(("PORT", "2"))).Build();
        var aliasFirst = new ConfigurationBuilder().AddInMemoryCollection(Pairs(("PORT", "2")))
            .AddInMemoryCollection(Pairs(("Http:Port", "3"))).Build();

        Assert.Equal(2, ServerSettings.Load(fileFirst, development: false).Http.Port);
        Assert.Equal(3, ServerSettings.Load(aliasFirst, development: false).Http.Port);
    }

    [Fact]
    public void Lists_come_in_one_text_or_one_by_one()
    {
        var one = Load(("Delivery:RetrySchedule", "1s, 2min"), ("Delivery:AllowedNetworks", "10.0.0.0/8,fd00::/8"));
        var many = Load(("Delivery:RetrySchedule:0", "1s"), ("Delivery:RetrySchedule:1", "2min"));

        Assert.Equal([TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2)], one.Delivery.RetrySchedule);
        Assert.Equal([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("fd00::/8")], one.Delivery.AllowedNetworks);
        Assert.Equal(one.Delivery.RetrySchedule, many.Delivery.RetrySchedule);
    }

    [Fact]
    public void A_json_file_is_read_and_its_unknown_keys_refused()
    {
        static IConfigurationRoot File(string json) =>
            new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();

        Assert.Equal(64L << 20, ServerSettings.Load(File("""{"Journal":{"SegmentBytes":"64MiB"},"Cors":{"AllowedOrigins":["https://a.example"]},"Ingest":{}}"""), false).Journal.SegmentBytes);
        Assert.Throws<StartupException>(() => ServerSettings.Load(File("""{"Journal":{"SegmentByte":"64MiB"}}"""), false));
    }

    [Fact]
    public void Secrets_are_in_no_error()
    {
        var error = Refused(("DATABASE_URL", "mysql://root:hunter2@db/x"), ("ADMIN_TOKEN", "short"));

        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("short", error.Message, StringComparison.Ordinal);
        Assert.Contains("DATABASE_URL: its value (not shown) is not allowed", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://proxy.example:3128", "http://proxy.example:3128", false)]
    [InlineData("https://me:p%40s%3As@proxy.example:443/", "https://proxy.example", true)]
    [InlineData("http://[fd00::1]:8080", "http://[fd00::1]:8080", false)]
    [InlineData("HTTP://10.0.0.1:80", "http://10.0.0.1", false)]
    public void A_proxy_is_read_and_its_password_never_shown(string text, string shown, bool hasCredentials)
    {
        var delivery = Load(("Delivery:Proxy", text)).Delivery;

        Assert.Equal(shown, delivery.Proxy!.ToString());
        Assert.Equal(
            hasCredentials ? ("me", "p@s:s") : (null, null),
            (delivery.Proxy.Credentials as NetworkCredential) is { } given ? (given.UserName, given.Password) : (null, null));
        Assert.DoesNotContain("p@s", delivery.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("p%40", delivery.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("proxy.example:3128")]
    [InlineData("http://proxy.example")]
    [InlineData("socks5://proxy.example:1080")]
    [InlineData("http://proxy.example:0")]
    [InlineData("http://proxy.example:3128/path")]
    [InlineData("http://proxy.example:3128/?a=secret")]
    [InlineData("http://me@proxy.example:3128")]
    [InlineData("http://:secret@proxy.example:3128")]
    [InlineData("http://m%3Ae:secret@proxy.example:3128")]
    [InlineData("http://me:secret@")]
    public void A_bad_proxy_is_refused_without_showing_it(string text)
    {
        var error = Refused(("Delivery:Proxy", text)).Message;

        Assert.Contains("Delivery:Proxy: its value (not shown) is not allowed; use a proxy such as", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Journal:RingBytes", "1KiB")]
    [InlineData("Journal:FlushInterval", "0ms")]
    [InlineData("Journal:RetainFor", "8d")]
    [InlineData("Journal:MaxBytes", "64MiB")]
    [InlineData("Ingest:QueueBytes", "1")]
    [InlineData("Ingest:AckWhen", "1")]
    [InlineData("Dedup:MaxEntries", "-1")]
    [InlineData("Delivery:MaxInFlight", "0")]
    [InlineData("Delivery:Timeout", "30")]
    [InlineData("Delivery:RetrySchedule", "5s,soon")]
    [InlineData("Delivery:AllowedNetworks", "10.0.0.0/33")]
    [InlineData("Registration:Open", "maybe")]
    [InlineData("Cors:AllowedOrigins", "example.com")]
    [InlineData("Cors:AllowedOrigins", "https://example.com/app")]
    [InlineData("Log:Level", "loud")]
    [InlineData("Http:Host", "two words")]
    [InlineData("urls", "localhost:5000")]
    public void A_value_out_of_range_is_refused_by_name(string key, string value) =>
        Assert.Contains($"{key} = ", Refused((key, value)).Message, StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void An_empty_text_is_not_given() => Assert.Equal(8080, Load(("PORT", ""), ("DATABASE_URL", " ")).Http.Port);

    private static ServerSettings Load(params (string Key, string Value)[] values) =>
        ServerSettings.Load(Given(values), development: false);

    private static StartupException Refused(params (string Key, string Value)[] values) =>
        Assert.Throws<StartupException>(() => Load(values));

    private static IConfigurationRoot Given(params (string Key, string Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(Pairs(values)).Build();

    private static IEnumerable<KeyValuePair<string, string?>> Pairs(params (string Key, string Value)[] values) =>
        values.Select(pair => new KeyValuePair<string, string?>(pair.Key, pair.Value));
}
