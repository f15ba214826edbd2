using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ZapierTriggers.Load.Core.Contest;

/// <summary>A program that runs on a free loopback port with a temporary directory for its files, until it is disposed.</summary>
internal sealed class TemporaryProcess : IAsyncDisposable
{
    private const int LinesKept = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly Queue<string> _lines = new();
    private Process? _process;

    /// <summary>Makes the directory and draws the port; nothing runs yet.</summary>
    public TemporaryProcess()
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("zap-load-").FullName;
        // Free now; another process could take it before ours does, which then says so and the run fails.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Address = (IPEndPoint)listener.LocalEndpoint;
    }

    /// <summary>Where its files go.</summary>
    public string Directory { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>The port as text.</summary>
    public string Port => Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The running program's id.</summary>
    public int Id => _process!.Id;

    /// <summary>Whether the program has been started and has ended by itself.</summary>
    public bool HasExited => _process is { HasExited: true };

    /// <summary>Starts the program, the first time or again after <see cref="KillAsync"/>, and waits for nothing.</summary>
    public void Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? settings)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Directory,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string>(StringComparer.Ordinal)) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Starts the program and waits until something listens on the port.</summary>
    /// <exception cref="IOException">It ended, or did not listen within a minute; the message has its last lines.</exception>
    public async Task StartAsync(
        string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? settings, CancellationToken stop)
    {
        Start(program, arguments, settings);
        for (var since = Stopwatch.GetTimestamp(); !Listens(); await Task.Delay(Look, stop))
        {
            if (HasExited || Stopwatch.GetElapsedTime(since) > Patience) throw NotStarted(program);
        }
    }

    /// <summary>Says that the program did not start, with its last lines.</summary>
    public IOException NotStarted(string program) => new($"{Path.GetFileName(program)} did not start:\n{LastLines()}");

    /// <summary>Ends the program (SIGKILL), whatever it is doing; its files stay.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process) return;
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        _process = null;
    }

    /// <summary>Connects to it.</summary>
    public Socket Connect()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = (int)Patience.TotalMilliseconds };
        try
        {
            socket.Connect(Address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Ends the program, whatever it is doing, and deletes its files.</summary>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await DeleteAsync();
    }

    /// <summary>Deletes the files. Children that were killed with the program may write for a moment longer.</summary>
    private async Task DeleteAsync()
    {
        const int Tries = 20;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                System.IO.Directory.Delete(Directory, recursive: true);
                return;
            }
            catch (IOException) when (attempt < Tries)
            {
                await Task.Delay(Look);
            }
        }
    }

    private bool Listens()
    {
        try
        {
            Connect().Dispose();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_lines)
        {
            if (_lines.Count == LinesKept) _lines.Dequeue();
            _lines.Enqueue(line);
        }
    }

    private string LastLines()
    {
        lock (_lines) return string.Join('\n', _lines);
    }
}
