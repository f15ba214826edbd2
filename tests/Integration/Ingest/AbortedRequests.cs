using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Tests.Integration.Webhooks;
using LogEventId = Microsoft.Extensions.Logging.EventId;

namespace ZapierTriggers.Tests.Integration.Ingest;

/// <summary>A client that goes away in the middle of a body is nobody's error: not a line is logged (dotnet/aspnetcore#14727).</summary>
public sealed class AbortedRequests
{
    private const int Count = 200;

    [Fact]
    public async Task A_reset_in_the_middle_of_a_body_is_not_logged()
    {
        var lines = new ConcurrentQueue<string>();
        var (begun, ended) = (0, 0);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddProvider(new Lines(lines));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async context =>
        {
            await ExceptionBoundary.RunAsync(
                context,
                async request =>
                {
                    var reading = RequestBody.ReadAsync(request, EventLimits.MaxBodyBytes);
                    Interlocked.Increment(ref begun);
                    var body = await reading;
                    body.Release();
                },
                app.Logger);
            Interlocked.Increment(ref ended);
        });
        await app.StartAsync();
        var address = new Uri(app.Urls.Single());

        for (var i = 1; i <= Count; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.Host, address.Port);
            await socket.SendAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"type\":"u8.ToArray());
            await Poll.UntilAsync(() => Volatile.Read(ref begun) == i, "the body is being read");
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        await Poll.UntilAsync(() => Volatile.Read(ref ended) == Count, "all requests have ended");
        await app.DisposeAsync();
        Assert.Empty(lines);
    }

    private sealed class Lines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, LogEventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
