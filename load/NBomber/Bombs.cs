using System.Diagnostics;
using System.Text;
using System.Text.Json;
using NBomber.Contracts;
using NBomber.CSharp;
using NBomber.Http.CSharp;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Driving;
using ZapierTriggers.Load.Core.Receiving;

namespace ZapierTriggers.Load.Scenarios;

/// <summary>What one invocation of each scenario does.</summary>
internal sealed class Bombs : IAsyncDisposable
{
    private const int BatchItems = 100;
    private static readonly TimeSpan DeliveryPatience = TimeSpan.FromMinutes(1);

    private readonly BombSettings _settings;
    private readonly Account _account;
    private readonly EventSource _source;
    private readonly Receiver? _receiver;

    // NBomber's own invocation number repeats across copies of a scenario.
    private readonly RequestNumbers _numbers = new();
    private long _accepted;

    private Bombs(BombSettings settings, Account account, Receiver? receiver)
    {
        (_settings, _account, _receiver) = (settings, account, receiver);
        var dedup = settings.Scenario == "duplicates" ? DedupMode.Parse("dup:5%") : DedupMode.None;
        _source = new EventSource(EventTemplates.Generate(settings.Size, 1), dedup, 1, Guid.NewGuid().ToString("N")[..8]);
    }

    /// <summary>Makes the organization, and the receiver where webhooks are wanted.</summary>
    public static async Task<Bombs> OpenAsync(BombSettings settings)
    {
        var account = await Account.OpenAsync(settings.Server, settings.Key, settings.AdminToken, "load-nbomber");
        var receiver = settings.Scenario == "webhooks" ? await Receiver.StartAsync() : null;
        if (receiver is not null) receiver.Secret = await account.SetWebhookAsync(receiver.Url);
        return new Bombs(settings, account, receiver);
    }

    /// <summary>One invocation.</summary>
    public Task<IResponse> RunAsync() => _settings.Scenario switch
    {
        "batch" => PostAsync("/api/events/batch", Batch()),
        "mixed" => Random.Shared.Next(100) switch { < 70 => IngestAsync(), < 90 => InboxAsync(), _ => AckAsync() },
        _ => IngestAsync(),
    };

    /// <summary>Whether every accepted event's webhook came within a minute; true without webhooks.</summary>
    public async Task<bool> AllDeliveredAsync()
    {
        if (_receiver is null) return true;
        for (var start = Stopwatch.GetTimestamp(); _receiver.Log.Succeeded < Volatile.Read(ref _accepted); await Task.Delay(50))
        {
            if (Stopwatch.GetElapsedTime(start) > DeliveryPatience) return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _account.Dispose();
        if (_receiver is not null) await _receiver.DisposeAsync();
    }

    private Task<IResponse> IngestAsync() => PostAsync("/api/events", NextBody());

    private async Task<IResponse> PostAsync(string path, string json)
    {
        var request = Http.CreateRequest("POST", new Uri(_settings.Server, path).ToString())
            .WithBody(new StringContent(json, Encoding.UTF8, "application/json"));
        var response = await Http.Send(_account.Client, request);
        if (response.StatusCode == "Accepted") Interlocked.Increment(ref _accepted);
        return response.StatusCode == "Conflict" && _source.Dedup.HasIds ? Response.Ok(statusCode: "Conflict") : response;
    }

    private async Task<IResponse> InboxAsync()
    {
        using var answer = await _account.Client.GetAsync("/api/inbox?limit=20");
        return answer.IsSuccessStatusCode ? Response.Ok(statusCode: "OK") : Response.Fail(statusCode: answer.StatusCode.ToString());
    }

    private async Task<IResponse> AckAsync()
    {
        var page = await _account.Client.GetFromJsonAsync<JsonElement>("/api/inbox?status=pending&limit=20");
        var ids = page.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("id").GetString()).ToArray();
        if (ids.Length == 0) return Response.Ok(statusCode: "OK");
        using var answer = await _account.Client.PostAsJsonAsync("/api/inbox/ack", new { event_ids = ids });
        return answer.IsSuccessStatusCode ? Response.Ok(statusCode: "OK") : Response.Fail(statusCode: answer.StatusCode.ToString());
    }

    private string Batch() => $"[{string.Join(',', Enumerable.Range(0, BatchItems).Select(_ => NextBody()))}]";

    private string NextBody() => Encoding.UTF8.GetString(_source.BodyOf(_source.ContentOf(_numbers.Next())));
}
