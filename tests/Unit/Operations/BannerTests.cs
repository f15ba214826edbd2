using Microsoft.Extensions.Configuration;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class BannerTests
{
    [Fact]
    public void It_says_what_a_person_needs_in_at_most_16_lines()
    {
        using var folder = new ScratchFolder();
        var token = AdminToken.Provision(null, folder.Path);

        var text = Write(token, folder.Path, []);

        Assert.InRange(text.TrimEnd('\n').Split('\n').Length, 8, 16);
        Assert.Contains("http://localhost:8080", text, StringComparison.Ordinal);
        Assert.Contains("a power cut can take the last 50ms", text, StringComparison.Ordinal);
        Assert.Contains(folder.Path, text, StringComparison.Ordinal);
        Assert.Contains($"-H 'X-API-Key: {token.Value}'", text, StringComparison.Ordinal);
        Assert.Contains("""-d '{"type":"user.created","payload":{"user_id":"1"}}'""", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kept_token_is_not_shown_again()
    {
        using var folder = new ScratchFolder();
        var first = AdminToken.Provision(null, folder.Path);

        var text = Write(AdminToken.Provision(null, folder.Path), folder.Path, []);

        Assert.DoesNotContain(first.Value, text, StringComparison.Ordinal);
        Assert.Contains($"$(cat '{folder.File("admin-token")}')", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_given_token_is_never_shown()
    {
        using var folder = new ScratchFolder();

        Assert.DoesNotContain(
            "a-token-of-mine", Write(AdminToken.Provision("a-token-of-mine", folder.Path), folder.Path, []), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_registration_needs_no_token_in_the_command()
    {
        using var folder = new ScratchFolder();

        var text = Write(AdminToken.Provision(null, folder.Path), folder.Path, [("Registration:Open", "true")]);

        Assert.Contains("/api/keys/generate -H 'Content-Type: application/json'", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Colour_is_for_terminals_only(bool ansi, bool expected)
    {
        using var folder = new ScratchFolder();

        Assert.Equal(expected, Write(AdminToken.Provision(null, folder.Path), folder.Path, [], ansi).Contains('\e'));
    }

    [Theory]
    [InlineData("http://[::]:9000")]
    [InlineData("http://0.0.0.0:9000")]
    public void A_command_uses_an_address_that_works_here(string bound)
    {
        using var folder = new ScratchFolder();

        Assert.Contains(
            "curl -X POST http://localhost:9000/api/events", Write(AdminToken.Provision(null, folder.Path), folder.Path, [], bound: bound),
            StringComparison.Ordinal);
    }

    private static string Write(
        AdminToken token, string folder, (string Key, string Value)[] given, bool ansi = false, string bound = "http://localhost:8080")
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(given.Select(pair => new KeyValuePair<string, string?>(pair.Key, pair.Value))).Build();
        var output = new StringWriter();
        new Banner(ServerSettings.Load(configuration, development: false), token, folder, "SQLite").Write(output, [bound], ansi);
        return output.ToString();
    }
}
