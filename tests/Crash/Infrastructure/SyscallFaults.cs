using System.Diagnostics;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>
/// Makes system calls of a running server fail, on one path only, by strace. Every call is slow meanwhile. Where strace is missing or may
/// not attach the test is skipped with the reason.
/// </summary>
internal sealed class SyscallFaults : IAsyncDisposable
{
    private static readonly TimeSpan AttachLimit = TimeSpan.FromSeconds(30);

    private readonly Process _strace;
    private Task _rest = Task.CompletedTask;

    private SyscallFaults(Process strace) => _strace = strace;

    /// <summary>Returns when the faults are in force.</summary>
    /// <param name="server">The server.</param>
    /// <param name="call">The system call, such as <c>fdatasync</c>.</param>
    /// <param name="fault">What becomes of it, in strace's words, such as <c>error=EIO:when=1</c>.</param>
    /// <param name="path">The file or directory whose calls fail.</param>
    public static async Task<SyscallFaults> AttachAsync(ServerProcess server, string call, string fault, string path)
    {
        if (!Tool.IsThere("strace")) Assert.Skip("strace is not installed. Type: apt-get install strace");
        string[] arguments =
            ["-f", "-o", "/dev/null", "-P", path, "-e", $"trace={call}", "-e", $"inject={call}:{fault}", "-p", $"{server.Id}"];
        var start = new ProcessStartInfo("strace", arguments) { UseShellExecute = false, RedirectStandardError = true };
        var strace = Process.Start(start)!;
        var faults = new SyscallFaults(strace);
        try
        {
            using var deadline = new CancellationTokenSource(AttachLimit);
            var said = "";
            while (await strace.StandardError.ReadLineAsync(deadline.Token) is { } line)
            {
                said += line + "\n";
                if (!line.Contains("attached", StringComparison.Ordinal)) continue;
                faults._rest = strace.StandardError.ReadToEndAsync(CancellationToken.None); // so that strace never waits for us
                return faults;
            }

            Assert.Skip($"strace may not attach here: {said}");
            return faults;
        }
        catch
        {
            await faults.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the faults.</summary>
    public async ValueTask DisposeAsync()
    {
        // SIGTERM lets strace detach; SIGKILL would leave the server stopped.
        if (!_strace.HasExited) Tool.Try("kill", $"{_strace.Id}");
        await _strace.WaitForExitAsync();
        await _rest;
        _strace.Dispose();
    }
}
