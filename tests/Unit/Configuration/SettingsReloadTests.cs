using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Tests.Unit.Journal;

namespace ZapierTriggers.Tests.Unit.Configuration;

public sealed class SettingsReloadTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly List<ServerSettings> _taken = [];

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

    private void Write(string open) => System.IO.File.WriteAllText(File, $$"""{"Registration":{"Open":"{{open}}"} }""");
}
