namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// What was to be stored and not answered: it may be stored, so the same call again is about the same endpoint and the same secret. Not
/// safe for concurrent use: the configuration makes one change at a time.
/// </summary>
/// <param name="mostPerOrganization">New endpoints kept of one organization; the oldest is forgotten past it.</param>
internal sealed class UnsettledEndpoints(int mostPerOrganization)
{
    private readonly Dictionary<int, List<(string Call, EndpointRecord Endpoint)>> _made = [];
    private readonly Dictionary<Guid, string> _secrets = [];
    private readonly HashSet<Guid> _removals = [];

    /// <summary>The endpoint that this call was to make before; null if there is none.</summary>
    public EndpointRecord? Find(int organizationNo, string call)
    {
        if (!_made.TryGetValue(organizationNo, out var list)) return null;
        return list.Find(known => known.Call == call).Endpoint;
    }

    /// <summary>The endpoint that this call was to make before; <paramref name="made"/> if there is none, kept until settled.</summary>
    public EndpointRecord Plan(int organizationNo, string call, EndpointRecord made)
    {
        if (!_made.TryGetValue(organizationNo, out var list)) _made[organizationNo] = list = [];
        foreach (var known in list)
        {
            if (known.Call == call) return known.Endpoint;
        }

        if (list.Count >= mostPerOrganization) list.RemoveAt(0);
        list.Add((call, made));
        return made;
    }

    /// <summary>The call's endpoint is stored.</summary>
    public void Settle(int organizationNo, string call)
    {
        if (!_made.TryGetValue(organizationNo, out var list)) return;
        list.RemoveAll(known => known.Call == call);
        if (list.Count == 0) _made.Remove(organizationNo);
    }

    /// <summary>The secret that a rotation was to set before; a new one if there is none, kept until settled.</summary>
    public string PlanSecret(Guid endpointId)
    {
        if (!_secrets.TryGetValue(endpointId, out var secret)) _secrets[endpointId] = secret = WebhookSecret.Generate();
        return secret;
    }

    /// <summary>The endpoint's secret is stored, or it is gone.</summary>
    public void SettleSecret(Guid endpointId) => _secrets.Remove(endpointId);

    /// <summary>The endpoint may have been removed.</summary>
    public void PlanRemoval(Guid endpointId) => _removals.Add(endpointId);

    /// <summary>The endpoint is gone; returns whether it was to be removed before.</summary>
    public bool SettleRemoval(Guid endpointId) => _removals.Remove(endpointId);
}
