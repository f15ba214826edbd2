namespace ZapierTriggers.Server.Accounts;

/// <summary>Settings under <c>Keys</c>.</summary>
internal sealed record KeyOptions
{
    /// <summary>The most keys that an organization may have at a time; ended ones do not count.</summary>
    public int MaxPerOrganization { get; init; } = 50;
}
