using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Tenants;

/// <summary>An organization whose every text carries a mark of its own, so that it is noticed wherever it turns up.</summary>
internal sealed class Organization
{
    private readonly string _mark;
    private readonly List<string> _texts = [];
    private readonly List<string> _eventIds = [];
    private int _count;

    private Organization(Tenant tenant, string mark)
    {
        (Tenant, _mark) = (tenant, mark);
        _texts.AddRange([mark, tenant.OrganizationId]);
        LearnKey(tenant.Key);
    }

    /// <summary>Its key in use.</summary>
    public Tenant Tenant { get; private set; }

    /// <summary>Texts that only it may see: mark, ids, keys, the key's route, signing secret.</summary>
    public IReadOnlyList<string> Texts => _texts;

    /// <summary>Ids of its events.</summary>
    public IReadOnlyList<string> EventIds => _eventIds;

    /// <summary>A dedup id of its first event.</summary>
    public string DedupId => $"{_mark}-dedup-0";

    /// <summary>An endpoint of its own.</summary>
    public string EndpointId { get; private set; } = "";

    /// <summary>The id of its first key.</summary>
    public string KeyId { get; private set; } = "";

    /// <summary>Makes one with a webhook, another endpoint and some events, one of them acknowledged.</summary>
    public static async Task<Organization> CreateAsync(ITestServer server)
    {
        var mark = $"mark{Guid.NewGuid():N}";
        var organization = new Organization(await server.NewTenantAsync(name: $"{mark} Inc."), mark);
        organization._texts.Add(await organization.Tenant.SetWebhookAsync($"http://127.0.0.1:9/{mark}"));
        var made = (await organization.Tenant.PostAsync("/api/endpoints",
            $$$"""{"url":"http://127.0.0.1:9/{{{mark}}}","description":"{{{mark}}}","event_types":["{{{mark}}}.*"],"headers":{"X-Mark":"{{{mark}}}"}}""")).Json;
        organization.EndpointId = (string)made["id"]!;
        organization.KeyId = (string)(await organization.Tenant.GetAsync("/api/keys")).Json["keys"]![0]!["id"]!;
        organization._texts.AddRange([organization.EndpointId, (string)made["secret"]!, organization.KeyId]);
        for (var i = 0; i < 4; i++) await organization.PostAsync();
        Assert.Equal(200, (await organization.Tenant.PostAsync($"/api/ack/{organization._eventIds[0]}")).Status);
        return organization;
    }

    /// <summary>Sends one more event of its own.</summary>
    public async Task<Reply> PostAsync()
    {
        var number = _count++;
        var reply = await Tenant.PostEventAsync(
            $$"""{"type":"{{_mark}}.{{number}}","payload":{"{{_mark}}":"{{_mark}}"},"dedup_id":"{{_mark}}-dedup-{{number}}","ordering_key":"{{_mark}}"}""");
        Learn(reply.Accepted());
        return reply;
    }

    /// <summary>An id that it was given.</summary>
    public void Learn(string eventId)
    {
        _eventIds.Add(eventId);
        _texts.Add(eventId);
    }

    /// <summary>Goes on with another key.</summary>
    public void Rotated(ITestServer server, string key)
    {
        Tenant = new Tenant(server, Tenant.OrganizationId, key);
        LearnKey(key);
    }

    /// <summary>All that can be seen of it, but for when its keys were used and what a delivery that is under way changes.</summary>
    public async Task<string> StateAsync()
    {
        var keys = (await Tenant.GetAsync("/api/keys")).Json;
        foreach (var key in keys["keys"]!.AsArray()) key!.AsObject().Remove("last_used_at");
        var events = (await Tenant.GetAsync("/api/inbox?limit=1000&include=total")).Json;
        var shown = events["events"]!.AsArray().Select(one =>
            new JsonArray([.. ((string[])["id", "type", "payload", "dedup_id"]).Select(name => one![name]?.DeepClone()),
            (string?)one!["status"] == "delivered"]).ToJsonString());
        var endpoints = (await Tenant.GetAsync("/api/endpoints")).Json;
        foreach (var endpoint in endpoints["endpoints"]!.AsArray()) endpoint!.AsObject().Remove("health");
        return $"{keys.ToJsonString()}\n{endpoints.ToJsonString()}\n{events["total"]}\n{string.Join('\n', shown)}";
    }

    // Of a key the first 17 characters are the same for all keys of an organization.
    private void LearnKey(string key) => _texts.AddRange([key, key[..17], key[17..]]);
}
