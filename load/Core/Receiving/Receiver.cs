using System.Buffers;
using System.IO.Hashing;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ZapierTriggers.Load.Core.Verdict;
using EventId = ZapierTriggers.Core.Events.EventId;

namespace ZapierTriggers.Load.Core.Receiving;

/// <summary>A webhook receiver on loopback that logs what it gets; any path, any method.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly ReceiverSettings _settings;
    private readonly TimeProvider _time;
    private readonly WebApplication _app;
    private long _count;

    private Receiver(ReceiverSettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Listen(IPAddress.Loopback, settings.Port);
        });
        _app = builder.Build();
        _app.Run(ReceiveAsync);
    }

    /// <summary>Where it listens.</summary>
    public Uri Url => new(_app.Urls.First());

    /// <summary>What has come; complete once no delivery is under way.</summary>
    public DeliveryLog Log { get; } = new();

    /// <summary>The secret that signatures are checked with; null (at first) takes every signature.</summary>
    public string? Secret { get; set; }

    /// <summary>Starts a receiver.</summary>
    public static async Task<Receiver> StartAsync(ReceiverSettings? settings = null, TimeProvider? time = null)
    {
        var receiver = new Receiver(settings ?? new ReceiverSettings(), time ?? TimeProvider.System);
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        var result = await context.Request.BodyReader.ReadAtLeastAsync(int.MaxValue, context.RequestAborted);
        var fails = _settings.FailEvery > 0 && Interlocked.Increment(ref _count) % _settings.FailEvery == 0;
        var status = fails ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
        var delivery = Read(context.Request.Headers, result.Buffer.ToArray(), status);
        context.Request.BodyReader.AdvanceTo(result.Buffer.End);
        if (_settings.Delay > TimeSpan.Zero) await Task.Delay(_settings.Delay, _time, context.RequestAborted);

        // Logged before the answer: whoever sees the answer finds it in the log.
        Log.Add(delivery);
        context.Response.StatusCode = status;
        context.Response.ContentLength = 0;
    }

    private Delivery Read(IHeaderDictionary headers, ReadOnlySpan<byte> body, int status)
    {
        var webhookId = headers["webhook-id"].ToString();
        var id = ReadId(webhookId);
        var signed = Secret is not { } secret
            || WebhookSignature.Verify(
                secret, webhookId, headers["webhook-timestamp"].ToString(), body, headers["webhook-signature"].ToString());
        var (eventId, hash) = ReadBody(body);
        return new Delivery(id, eventId, hash, signed, status);
    }

    private static EventId ReadId(string? text) => EventId.TryParse(text, out var id) ? id : default;

    private static (EventId Id, ulong DataHash) ReadBody(ReadOnlySpan<byte> body)
    {
        var (id, hash) = (default(EventId), 0UL);
        try
        {
            var reader = new Utf8JsonReader(body);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isId, isData) = (reader.ValueTextEquals("id"u8), reader.ValueTextEquals("data"u8));
                reader.Read();
                if (isId) id = ReadId(reader.GetString());
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (isData) hash = XxHash3.HashToUInt64(body[start..(int)reader.BytesConsumed]);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not the body of a delivery: logged without an id, which the audit reports as unknown.
            return default;
        }

        return (id, hash);
    }
}
