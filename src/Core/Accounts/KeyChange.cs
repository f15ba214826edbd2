namespace ZapierTriggers.Core.Accounts;

/// <summary>What came of adding or revoking a key.</summary>
internal enum KeyChange
{
    /// <summary>It was done, now or by an earlier try of the same write whose reply was lost.</summary>
    Done = 0,

    /// <summary>The organization has no such key, or it has ended already; or the organization is gone.</summary>
    NotFound,

    /// <summary>The organization has as many keys as it may.</summary>
    TooMany,

    /// <summary>It is the last key with <c>keys:manage</c>: without it nobody could make another.</summary>
    LastManager,
}
