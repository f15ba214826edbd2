namespace ZapierTriggers.Core.Delivery;

/// <summary>Where and how to send, made once per configuration of an endpoint.</summary>
internal sealed class WebhookTarget
{
    private readonly WebhookSignature? _signature;
    private readonly WebhookSignature? _both;

    private WebhookTarget(EndpointRecord endpoint, Uri? uri, WebhookSignature? signature, WebhookSignature? both, string? refusal)
    {
        Endpoint = endpoint;
        Uri = uri;
        _signature = signature;
        _both = both;
        Refusal = refusal;
    }

    /// <summary>The configuration it was made from.</summary>
    public EndpointRecord Endpoint { get; }

    /// <summary>Where to; null when <see cref="Refusal"/> says why not.</summary>
    public Uri? Uri { get; }

    /// <summary>
    /// Why nothing can ever be sent with this configuration (a literal address blocked since it was registered), in words; null when it
    /// can.
    /// </summary>
    public string? Refusal { get; }

    /// <summary>Checks and prepares a configuration.</summary>
    public static WebhookTarget Create(EndpointRecord endpoint, AddressGuard guard)
    {
        var refusal = guard.CheckUrl(endpoint.Url, out var uri);
        if (refusal != UrlRefusal.None) return new WebhookTarget(endpoint, uri: null, signature: null, both: null, refusal.Explain());
        if (!WebhookSecret.TryDecode(endpoint.Secret, out _))
            return new WebhookTarget(
                endpoint, uri: null, signature: null, both: null, "The endpoint's signing secret is damaged; rotate it.");
        var hasPrevious = endpoint.PreviousSecret is { } previous && WebhookSecret.TryDecode(previous, out _);
        var both = hasPrevious ? new WebhookSignature(endpoint.Secret, endpoint.PreviousSecret!) : null;
        return new WebhookTarget(endpoint, uri, new WebhookSignature(endpoint.Secret), both, refusal: null);
    }

    /// <summary>
    /// Signs bodies sent at that time, with the secret before the present one too while that is valid. Only while there is a
    /// <see cref="Uri"/>.
    /// </summary>
    public WebhookSignature SignatureAt(DateTimeOffset at) => _both is not null && at < Endpoint.PreviousSecretUntil ? _both : _signature!;

    /// <summary>The deadline of a try: the endpoint's own, but never over the one of all.</summary>
    public TimeSpan TimeoutWithin(TimeSpan most) =>
        Endpoint.TimeoutSeconds is { } seconds && TimeSpan.FromSeconds(seconds) < most ? TimeSpan.FromSeconds(seconds) : most;
}
