using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>
/// The real program as a process of its own, as built by the test command. Killed when disposed, and when the test run ends.
/// </summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    /// <summary>SIGTERM on Linux.</summary>
    public const int SigTerm = 15;

    /// <summary>SIGCONT on Linux.</summary>
    public const int SigCont = 18;

    /// <summary>SIGSTOP on Linux.</summary>
    public const int SigStop = 19;

    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);

    /// <summary>The longest that a service manager waits; see faults of stopping in the contract.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();

    private ServerProcess(ServerSetup setup)
    {
        Setup = setup;
        var start = new ProcessStartInfo(
            setup.RunBy.Count > 0 ? setup.RunBy[0] : ProgramPath(), setup.RunBy.Count > 0 ? [.. setup.RunBy.Skip(1), ProgramPath()] : [])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in (string[])["DATABASE_URL", "LOG_LEVEL", "ASPNETCORE_URLS", "DOTNET_ENVIRONMENT", "DISABLE_WEBHOOK_DELIVERY"])
            start.Environment.Remove(name);
        foreach (var (name, value) in setup.Environment) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Append(_errors, line.Data);
        _process.Start();
        AppDomain.CurrentDomain.ProcessExit += OnTestsEnd;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>How it was started.</summary>
    public ServerSetup Setup { get; }

    /// <summary>The operating system's number of it.</summary>
    public int Id => _process.Id;

    /// <summary>What it has written to standard output.</summary>
    public string Output => Read(_output);

    /// <summary>What it has written to standard error.</summary>
    public string Errors => Read(_errors);

    /// <summary>Starts it and returns at once.</summary>
    public static ServerProcess Start(ServerSetup setup) => new(setup);

    /// <summary>Starts it and returns when <c>/health/ready</c> answers 200.</summary>
    public static async Task<ServerProcess> StartReadyAsync(ServerSetup setup)
    {
        var server = new ServerProcess(setup);
        try
        {
            await server.WaitReadyAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>SIGKILL, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Sends a signal by its Linux number. Throws <see cref="InvalidOperationException"/> when the process is gone.</summary>
    public void Signal(int signal)
    {
        if (SendSignal(Id, signal) != 0)
            throw new InvalidOperationException($"Signal {signal} could not be sent: error {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>
    /// SIGTERM, and waits for its end. Returns the exit code; throws <see cref="TimeoutException"/> when it takes over 30 s.
    /// </summary>
    public Task<int> TerminateAsync()
    {
        Signal(SigTerm);
        return WaitForExitAsync(StopLimit);
    }

    /// <summary>Waits for its end and returns the exit code, with all of its output read.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException late)
        {
            throw new TimeoutException($"The server has not ended within {limit.TotalSeconds:F0} s.\n{Output}\n{Errors}", late);
        }
    }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Its exit code, once it has ended: 128 + n when signal n ended it.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Waits for its end, no longer than the limit; whether it has ended.</summary>
    public async Task<bool> HasExitedWithinAsync(TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit);
        await _process.WaitForExitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _process.HasExited;
    }

    /// <summary>Returns when <c>/health/ready</c> answers 200. Throws when it does not within a minute, or the server ends.</summary>
    public async Task WaitReadyAsync()
    {
        using var client = new HttpClient { BaseAddress = Setup.Address, Timeout = TimeSpan.FromSeconds(5) };
        var start = Stopwatch.GetTimestamp();
        while (!await IsReadyAsync(client))
        {
            if (Stopwatch.GetElapsedTime(start) > ReadyLimit) throw new TimeoutException($"The server is not ready.\n{Output}\n{Errors}");
            await Poll.SomeTicksAsync(2);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnTestsEnd;
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    /// <summary>What <c>/health/ready</c> answers; empty when it does not.</summary>
    public async Task<string> ReadyTextAsync()
    {
        using var client = new HttpClient { BaseAddress = Setup.Address, Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var answer = await client.GetAsync("/health/ready");
            return await answer.Content.ReadAsStringAsync();
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or SocketException)
        {
            return "";
        }
    }

    private async Task<bool> IsReadyAsync(HttpClient client)
    {
        if (_process.HasExited)
            throw new InvalidOperationException($"The server ended with {_process.ExitCode} instead of being ready.\n{Output}\n{Errors}");
        try
        {
            using var answer = await client.GetAsync("/health/ready");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or SocketException)
        {
            // Not listening yet.
            return false;
        }
    }

    private static string ProgramPath()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (!File.Exists(Path.Combine(folder, "ZapierTriggers.sln"))) continue;
            var program = Path.Combine(folder, "src/Server/bin/Release/net10.0/ZapierTriggers.Server");
            return File.Exists(program) ? program : throw new FileNotFoundException(
                $"{program} is missing. Type: dotnet build -c Release src/Server", program);
        }

        throw new DirectoryNotFoundException("ZapierTriggers.sln was not found above the test program.");
    }

    private void OnTestsEnd(object? sender, EventArgs e)
    {
        if (!_process.HasExited) _process.Kill();
    }

    private static void Append(StringBuilder lines, string? line)
    {
        if (line is null) return;
        lock (lines) lines.Append(line).Append('\n');
    }

    private static string Read(StringBuilder lines)
    {
        lock (lines) return lines.ToString();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SendSignal(int process, int signal);
}
