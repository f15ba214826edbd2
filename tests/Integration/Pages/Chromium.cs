using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Pages;

/// <summary>A Chromium without a window, spoken to by its DevTools protocol. It resolves no name but this machine's.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly DirectoryInfo _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> _calls = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly SemaphoreSlim _sending = new(1);
    private Task _reading = Task.CompletedTask;
    private string? _session;
    private int _lastCall;

    private Chromium(Process process, DirectoryInfo profile) => (_process, _profile) = (process, profile);

    /// <summary>Where the program is; null when there is none.</summary>
    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(folder => Programs.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    /// <summary>Every URL that was asked for.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    /// <summary>What was thrown, logged as an error, or refused by a page's policy.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>Starts one with an empty page; the test is skipped where there is no Chromium.</summary>
    public static async Task<Chromium> StartAsync()
    {
        if (Program is null) Assert.Skip("There is no Chromium on PATH (Debian: apt-get install chromium).");
        var profile = Directory.CreateTempSubdirectory("zap-chromium-");
        var start = new ProcessStartInfo(Program)
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                $"--user-data-dir={profile.FullName}", "--remote-debugging-port=0", "about:blank",
            },
        };
        var browser = new Chromium(Process.Start(start)!, profile);
        _ = browser._process.StandardOutput.ReadToEndAsync();
        await browser.ConnectAsync();
        return browser;
    }

    /// <summary>Opens a page and returns when it has loaded.</summary>
    public async Task OpenAsync(Uri page)
    {
        await CallAsync("Page.navigate", new JsonObject { ["url"] = page.ToString() });
        await UntilAsync($"location.href === {Quote(page.ToString())} && document.readyState === 'complete'");
    }

    /// <summary>What an expression of the page comes to.</summary>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        var answer = await CallAsync(
            "Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        Assert.True(answer["exceptionDetails"] is null, answer["exceptionDetails"]?.ToJsonString());
        return answer["result"]!["value"];
    }

    /// <summary>Waits until an expression of the page is true.</summary>
    public async Task UntilAsync(string condition) =>
        await Poll.UntilAsync(async () => (bool?)await EvaluateAsync($"Boolean({condition})") == true, condition);

    /// <summary>Presses a key as a person does.</summary>
    public async Task PressAsync(string key, int code)
    {
        foreach (var type in (string[])["keyDown", "keyUp"])
            await CallAsync(
                "Input.dispatchKeyEvent",
                new JsonObject { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code });
    }

    /// <summary>A text as JavaScript writes it.</summary>
    public static string Quote(string text) => JsonValue.Create(text).ToJsonString();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _stop.Dispose();
        _sending.Dispose();
        try
        {
            _profile.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A child that is still ending writes into it; it is a temporary folder.
        }
    }

    private async Task ConnectAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        const string Before = "DevTools listening on ";
        string? line;
        do line = await _process.StandardError.ReadLineAsync(patience.Token) ?? throw new EndOfStreamException("Chromium ended before it listened.");
        while (!line.StartsWith(Before, StringComparison.Ordinal));
        _ = _process.StandardError.ReadToEndAsync();
        await _socket.ConnectAsync(new Uri(line[Before.Length..]), patience.Token);
        _reading = ReadAsync();
        var targets = (await CallAsync("Target.getTargets", []))["targetInfos"]!.AsArray();
        var page = (string)targets.First(target => (string?)target!["type"] == "page")!["targetId"]!;
        _session =
            (string)(await CallAsync("Target.attachToTarget", new JsonObject { ["targetId"] = page, ["flatten"] = true }))["sessionId"]!;
        foreach (var domain in (string[])["Page", "Network", "Runtime", "Log"]) await CallAsync($"{domain}.enable", []);
    }

    private async Task<JsonNode> CallAsync(string method, JsonObject parameters)
    {
        var id = Interlocked.Increment(ref _lastCall);
        var answer = _calls[id] = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        var call = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (_session is not null) call["sessionId"] = _session;
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(
                Encoding.UTF8.GetBytes(call.ToJsonString()), WebSocketMessageType.Text, endOfMessage: true, _stop.Token);
        }
        finally
        {
            _sending.Release();
        }

        return await answer.Task.WaitAsync(Patience);
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        using var message = new MemoryStream();
        while (!_stop.IsCancellationRequested)
        {
            var part = await _socket.ReceiveAsync(buffer, _stop.Token);
            message.Write(buffer, 0, part.Count);
            if (!part.EndOfMessage) continue;
            Take(JsonNode.Parse(message.ToArray())!);
            message.SetLength(0);
        }
    }

    private void Take(JsonNode message)
    {
        if ((int?)message["id"] is { } id)
        {
            if (_calls.TryRemove(id, out var waiting)) waiting.SetResult(message["result"] ?? message["error"]!);
            return;
        }

        var parameters = message["params"];
        switch ((string?)message["method"])
        {
            case "Network.requestWillBeSent": _requests.Enqueue((string)parameters!["request"]!["url"]!); break;
            case "Network.webSocketCreated": _requests.Enqueue((string)parameters!["url"]!); break;
            case "Runtime.exceptionThrown": _complaints.Enqueue(parameters!["exceptionDetails"]!.ToJsonString()); break;
            case "Log.entryAdded" when (string?)parameters!["entry"]!["level"] == "error": _complaints.Enqueue(parameters["entry"]!.ToJsonString()); break;
            default: break;
        }
    }
}
