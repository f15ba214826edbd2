using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>
/// The real program as a process of its own, as built by the test command. Killed when disposed, and when the test run ends.
/// </summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);

    /// <summary>The longest that a service manager waits; see faults of stopping in the contract.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();

    private ServerProcess(ServerSetup setup)
    {
        Setup = setup;
        var start = new ProcessStartInfo(ProgramPath())
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in (string[])["DATABASE_URL", "LOG_LEVEL", "ASPNETCORE_URLS", "DOTNET_ENVIRONMENT", "DISABLE_WEBHOOK_DELIVERY"]) start.Environment.Remove(name);
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
            using var client = new HttpClient { BaseAddress = setup.Address, Timeout = TimeSpan.FromSeconds(5) };
            await Poll.UntilAsync(() => server.IsReadyAsync(client), ReadyLimit, $"the server to be ready\n{server.Output}\n{server.Errors}");
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
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>
    /// SIGTERM, and waits for its end. Returns the exit code; throws <see cref="TimeoutException"/> when it takes over 30 s.
    /// </summary>
    public Task<int> TerminateAsync()
    {
        if (SendSignal(Id, SigTerm) != 0) throw new InvalidOperationException($"SIGTERM could not be sent: error {Marshal.GetLastPInvokeError()}.");
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

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnTestsEnd;
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private async Task<bool> IsReadyAsync(HttpClient client)
    {
        if (_process.HasExited) throw new InvalidOperationException($"The server ended with {_process.ExitCode} instead of being ready.\n{Output}\n{Errors}");
        try
        {
            using var answer = await client.GetAsync("/health/ready");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
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
            return File.Exists(program) ? program : throw new FileNotFoundException($"{program} is missing. Type: dotnet build -c Release src/Server", program);
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
