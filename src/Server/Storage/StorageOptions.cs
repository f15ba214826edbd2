namespace ZapierTriggers.Server.Storage;

/// <summary>Settings under <c>Storage</c>.</summary>
internal sealed record StorageOptions
{
    /// <summary>Where the journal, the admin token and the embedded database are kept.</summary>
    public string DataDirectory { get; init; } = "./data";

    /// <summary>
    /// Also <c>DATABASE_URL</c>: a <c>postgres://</c> URL or an Npgsql connection string; null or empty = embedded SQLite in
    /// <see cref="DataDirectory"/>.
    /// </summary>
    public string? ConnectionString { get; init; }

    /// <summary>Daily partitions are made this many days ahead (Postgres).</summary>
    public int PartitionsAhead { get; init; } = 7;
}
