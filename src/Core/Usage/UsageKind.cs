namespace ZapierTriggers.Core.Usage;

/// <summary>What a row of usage counts; the numbers are stored.</summary>
internal enum UsageKind
{
    /// <summary>
    /// Events that were stored or set aside, by the day of their acceptance; the same as the ledger's, with bytes of payload.
    /// </summary>
    Accepted = 1,

    /// <summary>Of those, the ones that the server itself has told: they count for no quota.</summary>
    Operational = 2,

    /// <summary>Webhooks that were answered with success, by the day of the try.</summary>
    Delivered = 3,

    /// <summary>Events that were acknowledged, by the day of the acknowledgement.</summary>
    Acknowledged = 4,

    /// <summary>Refused: past the rate limit.</summary>
    RateLimited = 11,

    /// <summary>Refused: past the monthly quota.</summary>
    OverQuota = 12,

    /// <summary>Refused, or answered like the first: a repeat within 24 hours.</summary>
    Duplicate = 13,

    /// <summary>Refused: not an event, or a dedup id that came with another payload.</summary>
    Invalid = 14,

    /// <summary>Refused: too large.</summary>
    TooLarge = 15,

    /// <summary>Refused: the queue was full, or storage away.</summary>
    Unavailable = 16,
}

/// <summary>A sum of usage.</summary>
/// <param name="OrganizationNo">Whose.</param>
/// <param name="Day">UTC day, in days since 1970-01-01.</param>
/// <param name="Kind">What is counted.</param>
/// <param name="Events">How many.</param>
/// <param name="Bytes">Bytes of their payloads; 0 where they are not counted.</param>
internal readonly record struct UsageSum(int OrganizationNo, int Day, UsageKind Kind, long Events, long Bytes = 0);
