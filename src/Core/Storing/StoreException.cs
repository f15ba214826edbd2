namespace ZapierTriggers.Core.Storing;

/// <summary>What a store's failure means for the caller; each store maps its driver's errors to one of these in one place.</summary>
internal enum StoreFailure
{
    /// <summary>
    /// Waiting and trying again may help: away, starting, read-only, locked, out of connections, deadlock, disk full. Whether a commit in
    /// flight happened is unknown.
    /// </summary>
    Unavailable,

    /// <summary>The store refuses the row itself (SQLSTATE 22*, 23*): trying it again will not help, other rows may go on.</summary>
    RowRefused,

    /// <summary>Another server has claimed the shard: this one must stop writing.</summary>
    Fenced,

    /// <summary>A programming or schema error; no retry, loud.</summary>
    Fault,
}

/// <summary>The one exception that stores throw.</summary>
internal sealed class StoreException : Exception
{
    /// <summary>Creates it with a message that an operator can act on.</summary>
    public StoreException(StoreFailure failure, string message, string? code = null, Exception? inner = null)
        : base(message, inner)
    {
        Failure = failure;
        Code = code;
    }

    /// <summary>What it means for the caller.</summary>
    public StoreFailure Failure { get; }

    /// <summary>The driver's own code (SQLSTATE, SQLite result code), if any.</summary>
    public string? Code { get; }
}
