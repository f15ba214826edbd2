using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>One request as it arrived.</summary>
internal sealed record Received(string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string Id => Headers["webhook-id"];
}

/// <summary>A webhook receiver: a real server on a loopback port that notes every request and answers as it is told.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Received> _received = new();
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Receiver(WebApplication app) => _app = app;

    /// <summary>How to answer; 200 at first. May be changed at any time.</summary>
    public Func<HttpContext, Received, Task> Answer { get; set; } = (_, _) => Task.CompletedTask;

    public IReadOnlyCollection<Received> Requests => _received;

    public string Url => _app.Urls.First() + "/hook";

    /// <summary>Completes when the receiver is disposed: what a hanging answer waits for.</summary>
    public Task Closing => _closing.Task;

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(
            options => options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var receiver = new Receiver(builder.Build());
        receiver._app.Run(receiver.ReceiveAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    public int CountOf(string id) => _received.Count(received => received.Id == id);

    public Task HangAsync(HttpContext context, Received _) =>
        Closing.WaitAsync(context.RequestAborted).ContinueWith(static ended => ended.Exception, TaskScheduler.Default);

    public async ValueTask DisposeAsync()
    {
        _closing.TrySetResult();
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        var headers = context.Request.Headers.ToDictionary(
            pair => pair.Key, pair => pair.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var received = new Received(context.Request.Path, headers, body);
        _received.Enqueue(received);
        await Answer(context, received);
    }
}
