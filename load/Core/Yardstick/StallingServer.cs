using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ZapierTriggers.Load.Core.Yardstick;

/// <summary>
/// A server to test generators with: it answers 202 at once, but from its fifth second on it answers nothing for a second, and so again
/// each
/// ten seconds. Time counts from the first request.
/// </summary>
internal static class StallingServer
{
    /// <summary>When the first stall begins.</summary>
    public static readonly TimeSpan StallAt = TimeSpan.FromSeconds(4);

    /// <summary>How long a stall is.</summary>
    public static readonly TimeSpan Stall = TimeSpan.FromSeconds(1);

    /// <summary>From one stall to the next.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private static readonly byte[] Accepted =
        "{\"event_id\":\"00000000-0000-7000-8000-000000000000\",\"status\":\"accepted\"}"u8.ToArray();

    /// <summary>Starts it on a free loopback port.</summary>
    public static async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var first = 0L;
        app.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            Interlocked.CompareExchange(ref first, Stopwatch.GetTimestamp(), 0);
            if (Left(Stopwatch.GetElapsedTime(Volatile.Read(ref first))) is { } left) await Task.Delay(left);
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            context.Response.ContentLength = Accepted.Length;
            await context.Response.Body.WriteAsync(Accepted);
        });
        await app.StartAsync();
        return app;
    }

    /// <summary>How much is left of the stall at a time; null when there is none.</summary>
    public static TimeSpan? Left(TimeSpan time)
    {
        var inPeriod = TimeSpan.FromTicks(time.Ticks % Period.Ticks) - StallAt;
        return inPeriod >= TimeSpan.Zero && inPeriod < Stall ? Stall - inPeriod : null;
    }
}
