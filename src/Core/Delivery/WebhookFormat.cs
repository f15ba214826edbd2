namespace ZapierTriggers.Core.Delivery;

/// <summary>What the body of a delivery looks like. The payload stands in each byte for byte.</summary>
internal enum WebhookFormat
{
    /// <summary>See <see cref="WebhookBody"/>.</summary>
    Standard = 0,

    /// <summary>See <see cref="CloudEventBody"/>.</summary>
    CloudEvents,
}
