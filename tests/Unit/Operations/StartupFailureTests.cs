using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class StartupFailureTests
{
    [Fact]
    public async Task A_port_in_use_is_named_with_what_to_do()
    {
        await using var first = await LoopbackServer.StartAsync(_ => _ => Task.CompletedTask);

        var error = await Assert.ThrowsAnyAsync<Exception>(() => LoopbackServer.StartAsync(_ => _ => Task.CompletedTask, port: first.Port));

        var (line, exitCode) = Report(error);
        Assert.Equal(1, exitCode);
        Assert.Contains($"127.0.0.1:{first.Port}", line, StringComparison.Ordinal);
        Assert.Contains("choose another with PORT or --urls", line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_https_address_without_a_certificate_is_told_where_to_name_one()
    {
        var (line, exitCode) = Report(
            new InvalidOperationException("Unable to configure HTTPS endpoint. No server certificate was specified, and …"));

        Assert.Equal(1, exitCode);
        Assert.Contains("Kestrel:Certificates:Default:Path", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_directory_under_a_file_is_named_with_what_to_do()
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder.File("file"), "");

        var error = Assert.Throws<JournalException>(() => DataDirectory.Open(folder.File("file/data"), TimeProvider.System));

        Assert.Contains(folder.File("file/data"), Report(error).Line, StringComparison.Ordinal);
        Assert.Contains("Storage:DataDirectory", Report(error).Line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_directory_in_use_names_its_holder()
    {
        using var folder = new ScratchFolder();
        using var first = DataDirectory.Open(folder.Path, TimeProvider.System);

        var error = Assert.Throws<JournalException>(() => DataDirectory.Open(folder.Path, TimeProvider.System));

        Assert.Contains($"in use by process {Environment.ProcessId}", Report(error).Line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreFailure.Unavailable, "DATABASE_URL")]
    [InlineData(StoreFailure.Fenced, "another server")]
    [InlineData(StoreFailure.Fault, "cannot be used")]
    internal void A_store_s_failure_is_told_by_what_it_means(StoreFailure failure, string expected) =>
        Assert.Contains(expected, Report(new StoreException(failure, "connection\nrefused")).Line, StringComparison.Ordinal);

    [Fact]
    public void It_is_one_line_and_has_no_stack_trace()
    {
        var (line, _) = Report(new StoreException(StoreFailure.Unavailable, "connection\nrefused"));

        Assert.Equal(
            "Cannot start: the database is not reachable: connection refused. Check DATABASE_URL and that the database runs.", line);
    }

    [Fact]
    public void The_cause_is_found_under_what_wraps_it()
    {
        var wrapped = new AggregateException(new InvalidOperationException("start", new StartupException("No room.") { ExitCode = 2 }));

        Assert.Equal(("Cannot start: No room.", 2), Report(wrapped));
    }

    [Fact]
    public void A_fault_of_ours_is_not_explained_away() =>
        Assert.Null(StartupFailure.Report(new InvalidOperationException("x"), TextWriter.Null));

    private static (string Line, int ExitCode) Report(Exception error)
    {
        var output = new StringWriter();
        var exitCode = StartupFailure.Report(error, output);
        Assert.NotNull(exitCode);
        return (Assert.Single(output.ToString().TrimEnd().Split('\n')), exitCode.Value);
    }
}
