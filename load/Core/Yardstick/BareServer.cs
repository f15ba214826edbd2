using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ZapierTriggers.Load.Core.Yardstick;

/// <summary>
/// The yardstick: the least that a Kestrel server must do to answer <c>POST /api/events</c> as the contract says. It reads the body to
/// its end and answers 202 with a body of the contract's size and the contract's headers; nothing is checked or kept.
/// </summary>
internal static class BareServer
{
    private static readonly byte[] Accepted = Encoding.ASCII.GetBytes(
        "{\"id\":\"00000000-0000-7000-8000-000000000000\",\"event_id\":\"00000000-0000-7000-8000-000000000000\","
        + "\"status\":\"accepted\",\"message\":\"Event queued for processing\"}");

    /// <summary>Starts it on a loopback port; 0 takes a free one. The address is in <see cref="WebApplication.Urls"/>.</summary>
    /// <param name="port">The TCP port.</param>
    /// <param name="withHeaders">Whether to send the contract's headers, or only what HTTP needs.</param>
    /// <param name="connections">Where connections come from; null takes sockets.</param>
    public static async Task<WebApplication> StartAsync(int port, bool withHeaders = true, IConnectionListenerFactory? connections = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Listen(System.Net.IPAddress.Loopback, port);
        });
        if (connections is not null) builder.Services.AddSingleton(connections);
        var app = builder.Build();
        app.Run(context => AnswerAsync(context, withHeaders));
        await app.StartAsync();
        return app;
    }

    private static async Task AnswerAsync(HttpContext context, bool withHeaders)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync();
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) break;
        }

        var response = context.Response;
        response.StatusCode = StatusCodes.Status202Accepted;
        response.ContentLength = Accepted.Length;
        response.ContentType = "application/json";
        if (withHeaders)
        {
            response.Headers["X-Request-Id"] = "0HN0000000000:00000001";
            response.Headers["RateLimit-Policy"] = "\"events\";q=100000;w=60";
            response.Headers["RateLimit"] = "\"events\";r=50000;t=30";
        }

        Accepted.CopyTo(response.BodyWriter.GetSpan(Accepted.Length));
        response.BodyWriter.Advance(Accepted.Length);
    }
}
