using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Cli;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class CommandsTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("help")]
    public async Task Help_names_the_commands(string word)
    {
        var output = new StringWriter();
        Assert.Equal(0, await Commands.RunAsync([word], output));
        Assert.Contains("move-to-postgres", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("docs/settings.md", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("verfy", "did you mean verify?")]
    [InlineData("config", "did you mean config show?")]
    [InlineData("serve-everything", "there are config show, verify,")]
    public async Task A_word_that_is_no_command_starts_nothing(string word, string hint)
    {
        var error = await Assert.ThrowsAsync<StartupException>(
            () => Commands.RunAsync([word, "--urls", "http://localhost:1"], TextWriter.Null));
        Assert.Contains($"'{word}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(hint, error.Message, StringComparison.Ordinal);
        Assert.Equal(2, error.ExitCode);
    }

    [Theory]
    [InlineData]
    [InlineData("--Ingest:AckWhen", "synced")]
    [InlineData("urls=http://localhost:8080")]
    [InlineData("/urls", "http://localhost:8080")]
    public async Task Settings_alone_mean_the_server(params string[] args) => Assert.Null(await Commands.RunAsync(args, TextWriter.Null));
}
