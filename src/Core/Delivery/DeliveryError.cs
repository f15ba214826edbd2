namespace ZapierTriggers.Core.Delivery;

/// <summary>Why a try did not succeed. All are tried again but <see cref="BlockedAddress"/>, which waiting cannot change.</summary>
internal enum DeliveryError
{
    /// <summary>It did: a 2xx answer, whole, within the deadline.</summary>
    None = 0,

    /// <summary>The URL itself is one that may not be sent to (a blocked literal address, another scheme): final.</summary>
    BlockedAddress,

    /// <summary>The host's name resolved to an address that may not be sent to; the name may resolve to another one later.</summary>
    BlockedName,

    /// <summary>The host's name did not resolve.</summary>
    NameNotResolved,

    /// <summary>No connection: refused, unreachable, or reset while connecting.</summary>
    ConnectFailed,

    /// <summary>The TLS handshake failed: a certificate that is not valid for the host, or no common protocol.</summary>
    TlsFailed,

    /// <summary>The egress proxy was not reached, wants other credentials, or opened no way to the receiver.</summary>
    ProxyFailed,

    /// <summary>The deadline passed: somewhere in DNS, connect, TLS, send, headers or body.</summary>
    Timeout,

    /// <summary>The connection ended before the answer did.</summary>
    ConnectionLost,

    /// <summary>What came back is not an HTTP answer, or its headers are over 16 KB.</summary>
    InvalidAnswer,

    /// <summary>A 3xx answer: redirects are never followed.</summary>
    Redirected,

    /// <summary>410 Gone: the receiver wants no more, so the endpoint is disabled and the event held.</summary>
    Gone,

    /// <summary>429 or 503: the receiver asks for a pause.</summary>
    Overloaded,

    /// <summary>Any other status but 2xx.</summary>
    BadStatus,

    /// <summary>An unexpected failure on our side, logged where it happened.</summary>
    Internal,

    /// <summary>Cut off because the server stops: nothing is recorded, the event is sent again after the start.</summary>
    Stopped,
}
