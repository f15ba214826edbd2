using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Tests.Unit.Journal;

namespace ZapierTriggers.Tests.Unit.Configuration;

public sealed class SettingsReloadTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly List<ServerSettings> _taken = [];

    private string Second => Path.Combine(_directory.Path, "second.json");

    private string File => Path.Combine(_directory.Path, "appsettings.json");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_change_is_handed_over_and_a_wrong_one_or_a_file_that_is_gone_is_not()
    {
        Write("false");
        var configuration = new ConfigurationBuilder().AddJsonFile(File, optional: true, reloadOnChange: false).Build();
        using var reload = new SettingsReload(configuration, development: false, _taken.Add, NullLogger<SettingsReload>.Instance);

        Write("true");
        configuration.Reload();
        Assert.True(_taken[^1].Registration.Open);
        var taken = _taken.Count;

        Write("perhaps");
        configuration.Reload();
        System.IO.File.Delete(File);
        configuration.Reload();
        Assert.Equal(taken, _taken.Count);

        Write("false");
        configuration.Reload();
        Assert.False(_taken[^1].Registration.Open);
    }

    [Fact]
    public void A_file_that_does_not_parse_changes_nothing_with_others_either_until_it_does_again()
    {
        Write("true");
        var (configuration, reload) = Two();
        using var ending = reload;
        WriteSecond("https://b.example.com");
        configuration.Reload();
        Assert.Equal((true, "https://b.example.com"), Last());
        var taken = _taken.Count;

        System.IO.File.WriteAllText(File, """{"Registration":{"Open":""");
        Assert.ThrowsAny<Exception>(() => Provider(configuration, "appsettings.json").Load()); // as a change of it does
        Assert.ThrowsAny<Exception>(configuration.Reload);
        WriteSecond("https://c.example.com");
        Provider(configuration, "second.json").Load();
        Assert.Equal(taken, _taken.Count);

        Write("true");
        Provider(configuration, "second.json").Load(); // the second one's change comes first
        Assert.Equal((true, "https://c.example.com"), Last());
    }

    [Fact]
    public async Task So_it_is_with_files_that_are_watched()
    {
        Write("true");
        WriteSecond("https://b.example.com");
        var configuration = new ConfigurationBuilder()
            .AddJsonFile(Watched("appsettings.json")).AddJsonFile(Watched("second.json")).Build();
        using var ending = configuration as IDisposable;
        var logs = new List<string>();
        using var reload = new SettingsReload(configuration, development: false, Take, new ListLogger(logs));

        System.IO.File.WriteAllText(File, "{");
        await UntilAsync(() => logs.Exists(line => line.Contains("appsettings.json cannot be read", StringComparison.Ordinal)), logs);
        WriteSecond("https://c.example.com");
        await UntilAsync(() => configuration["Cors:AllowedOrigins:0"] == "https://c.example.com", logs);
        Write("true");
        await UntilAsync(() => _taken.Count > 0 && Last() == (true, "https://c.example.com"), logs);
        lock (logs) Assert.All(_taken, one => Assert.True(one.Registration.Open));
    }

    [Fact]
    public void A_file_that_came_later_is_missed_too_when_it_has_gone()
    {
        Write("true");
        var (configuration, reload) = Two();
        using var ending = reload;
        WriteSecond("https://b.example.com");
        configuration.Reload();
        var taken = _taken.Count;

        System.IO.File.Delete(Second);
        configuration.Reload();

        Assert.Equal(taken, _taken.Count);
    }

    [Fact]
    public void What_whoever_takes_them_throws_does_not_leave_the_callback()
    {
        Write("true");
        var configuration = new ConfigurationBuilder().AddJsonFile(File, optional: true, reloadOnChange: false).Build();
        using var reload = new SettingsReload(
            configuration, development: false, _ => throw new InvalidOperationException("no"), NullLogger<SettingsReload>.Instance);

        configuration.Reload();
    }

    [Fact]
    public void Nothing_is_read_after_the_end()
    {
        Write("false");
        var configuration = new ConfigurationBuilder().AddJsonFile(File, optional: true, reloadOnChange: false).Build();
        new SettingsReload(configuration, development: false, _taken.Add, NullLogger<SettingsReload>.Instance).Dispose();

        configuration.Reload();

        Assert.Empty(_taken);
    }

    [Fact]
    public void Origins_are_those_of_the_latest_options()
    {
        const string Page = "https://app.example.com";
        var cors = new Cors(new CorsOptions());
        Assert.Equal("", OriginFor(cors, Page));
        cors.Use(new CorsOptions { AllowedOrigins = [Page] });
        Assert.Equal(Page, OriginFor(cors, Page));
        cors.Use(new CorsOptions { AllowedOrigins = ["*"] });
        Assert.Equal("*", OriginFor(cors, Page));
        cors.Use(new CorsOptions());
        Assert.Equal("", OriginFor(cors, Page));
    }

    private static string OriginFor(Cors cors, string page)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Origin = page;
        cors.WriteHeaders(context);
        return context.Response.Headers.AccessControlAllowOrigin.ToString();
    }

    private (IConfigurationRoot Configuration, SettingsReload Reload) Two()
    {
        var configuration = new ConfigurationBuilder()
            .AddJsonFile(File, optional: true, reloadOnChange: false).AddJsonFile(Second, optional: true, reloadOnChange: false).Build();
        return (configuration, new SettingsReload(configuration, development: false, Take, NullLogger<SettingsReload>.Instance));
    }

    private Action<JsonConfigurationSource> Watched(string name) => source =>
    {
        (source.FileProvider, source.Path) = (new PhysicalFileProvider(_directory.Path), name);
        (source.Optional, source.ReloadOnChange) = (true, true);
        source.ReloadDelay = 10;
    };

    private static FileConfigurationProvider Provider(IConfigurationRoot configuration, string name) =>
        configuration.Providers.OfType<FileConfigurationProvider>().Single(one => Path.GetFileName(one.Source.Path) == name);

    private static async Task UntilAsync(Func<bool> condition, List<string> gate)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (true)
        {
            lock (gate)
                if (condition()) return;
            await timer.WaitForNextTickAsync(deadline.Token);
        }
    }

    private void Take(ServerSettings settings)
    {
        lock (_taken) _taken.Add(settings);
    }

    private (bool Open, string Origin) Last()
    {
        lock (_taken) return (_taken[^1].Registration.Open, _taken[^1].Cors.AllowedOrigins[0]);
    }

    private void WriteSecond(string origin) => System.IO.File.WriteAllText(Second, $$"""{"Cors":{"AllowedOrigins":["{{origin}}"]} }""");

    private void Write(string open) => System.IO.File.WriteAllText(File, $$"""{"Registration":{"Open":"{{open}}"} }""");

    private sealed class ListLogger(List<string> lines) : ILogger<SettingsReload>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
            string> formatter)
        {
            lock (lines) lines.Add(formatter(state, exception));
        }
    }
}
