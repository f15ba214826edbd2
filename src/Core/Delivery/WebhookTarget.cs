namespace ZapierTriggers.Core.Delivery;

/// <summary>Where and how to send, made once per configuration of an endpoint.</summary>
internal sealed class WebhookTarget
{
    private WebhookTarget(EndpointRecord endpoint, Uri? uri, WebhookSignature? signature, string? refusal)
    {
        Endpoint = endpoint;
        Uri = uri;
        Signature = signature;
        Refusal = refusal;
    }

    /// <summary>The configuration it was made from.</summary>
    public EndpointRecord Endpoint { get; }

    /// <summary>Where to; null when <see cref="Refusal"/> says why not.</summary>
    public Uri? Uri { get; }

    /// <summary>Signs the body; null when <see cref="Refusal"/> says why not.</summary>
    public WebhookSignature? Signature { get; }

    /// <summary>
    /// Why nothing can ever be sent with this configuration (a literal address blocked since it was registered), in words; null when it
    /// can.
    /// </summary>
    public string? Refusal { get; }

    /// <summary>Checks and prepares a configuration.</summary>
    public static WebhookTarget Create(EndpointRecord endpoint, AddressGuard guard)
    {
        var refusal = guard.CheckUrl(endpoint.Url, out var uri);
        if (refusal != UrlRefusal.None) return new WebhookTarget(endpoint, uri: null, signature: null, refusal.Explain());
        if (!WebhookSecret.TryDecode(endpoint.Secret, out _)) return new WebhookTarget(endpoint, uri: null, signature: null, "The endpoint's signing secret is damaged; set a new one.");
        return new WebhookTarget(endpoint, uri, new WebhookSignature(endpoint.Secret), refusal: null);
    }
}
