namespace ZapierTriggers.Server.Accounts;

/// <summary>Settings under <c>Registration</c>.</summary>
internal sealed record RegistrationOptions
{
    /// <summary>
    /// Whether anyone may make an organization and its key; else the admin token is needed. On by default in Development only.
    /// </summary>
    public bool Open { get; init; }

    /// <summary>While open: new organizations from one address in any 60 seconds.</summary>
    public int PerAddressPerMinute { get; init; } = 60;
}
