namespace ZapierTriggers.Core.Accounts;

/// <summary>
/// One call that has changed something: who did what to what, when and from where. Never changed or removed; no secret in it.
/// </summary>
internal sealed record AuditEntry
{
    /// <summary>The organization that it is about; 0 = the server itself.</summary>
    public required int OrganizationNo { get; init; }

    /// <summary>The organization's public id, which is still known when it is gone; null = the server itself.</summary>
    public required Guid? OrganizationId { get; init; }

    /// <summary>A version 7 UUID: entries in the order of their ids are in the order of their times.</summary>
    public required Guid Id { get; init; }

    /// <summary>When the call came, to the millisecond.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary><c>key</c>, <c>admin</c>, or <c>anyone</c> (open registration).</summary>
    public required string Actor { get; init; }

    /// <summary>The key that was used, when the actor is one.</summary>
    public required Guid? KeyId { get; init; }

    /// <summary>What may be shown of that key.</summary>
    public required string? KeyPrefix { get; init; }

    /// <summary>What was done, for example <c>key.revoke</c>.</summary>
    public required string Action { get; init; }

    /// <summary>The id of what was changed: a key, an endpoint, an event, a replay, an organization.</summary>
    public required string Target { get; init; }

    /// <summary>What else is worth knowing, as a JSON object: names of changed fields, a reason, a tier.</summary>
    public required string Details { get; init; }

    /// <summary>Where the call came from: an IP address; null when there is none.</summary>
    public required string? Address { get; init; }

    /// <summary>The request's id, as its answer has it.</summary>
    public required string RequestId { get; init; }
}

/// <summary>Which entries to read, newest first.</summary>
internal sealed record AuditQuery
{
    /// <summary>Only of this organization; null = of all.</summary>
    public int? OrganizationNo { get; init; }

    /// <summary>Only of this organization's public id; for the administrator, also when it is gone.</summary>
    public Guid? OrganizationId { get; init; }

    /// <summary>Only this action; null = all.</summary>
    public string? Action { get; init; }

    /// <summary>Only this actor: <c>admin</c>, <c>anyone</c>, <c>key</c>, or a key's prefix; null = all.</summary>
    public string? Actor { get; init; }

    /// <summary>Only by the key with this id.</summary>
    public Guid? KeyId { get; init; }

    /// <summary>From this time on.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Before this time.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>The last entry seen; null = from the newest on.</summary>
    public Guid? After { get; init; }

    /// <summary>At most as many, 1 to 1,000.</summary>
    public required int Limit { get; init; }
}
