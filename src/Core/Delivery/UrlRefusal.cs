namespace ZapierTriggers.Core.Delivery;

/// <summary>Why a URL cannot be a webhook endpoint's.</summary>
internal enum UrlRefusal
{
    /// <summary>It can.</summary>
    None = 0,

    /// <summary>There is none.</summary>
    Empty,

    /// <summary>Over <see cref="AddressGuard.MaxUrlLength"/> characters.</summary>
    TooLong,

    /// <summary>Not an absolute URL with a host, or with blanks, control characters or backslashes.</summary>
    NotAUrl,

    /// <summary>Neither http nor https.</summary>
    Scheme,

    /// <summary>A user name or password before the host: it would stand in logs.</summary>
    UserInfo,

    /// <summary>A fragment, which is never sent.</summary>
    Fragment,

    /// <summary>The host is an address that webhooks may not be sent to.</summary>
    Blocked,
}

/// <summary>Refusals in words.</summary>
internal static class UrlRefusals
{
    /// <summary>What was wrong and what to send instead.</summary>
    public static string Explain(this UrlRefusal refusal) => refusal switch
    {
        UrlRefusal.None => "The URL is fine.",
        UrlRefusal.Empty => "The URL is empty; send an absolute one such as https://example.com/hooks.",
        UrlRefusal.TooLong => $"The URL is over {AddressGuard.MaxUrlLength} characters; send a shorter one.",
        UrlRefusal.NotAUrl => "This is not an absolute URL; send one such as https://example.com/hooks.",
        UrlRefusal.Scheme => "The URL's scheme must be http or https.",
        UrlRefusal.UserInfo =>
            "The URL must not contain a user name or password; have the receiver check the webhook-signature header instead.",
        UrlRefusal.Fragment => "The URL must not have a fragment (#…); leave it out.",
        UrlRefusal.Blocked =>
            "The URL points to a private, loopback, link-local or otherwise special address; send one that is publicly reachable.",
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, message: null),
    };
}
