namespace ZapierTriggers.Bench.Allocations;

/// <summary>What an operation allocates above its yardstick. Its row in the table is a bar, not what is expected.</summary>
/// <param name="Name">The row's name in <c>allocations.tsv</c>.</param>
/// <param name="Operation">The operation.</param>
/// <param name="Yardstick">The operation whose bytes are taken off.</param>
internal sealed record Difference(string Name, string Operation, string Yardstick)
{
    /// <summary>All differences.</summary>
    public static IReadOnlyList<Difference> All { get; } =
    [
        new("request-to-receipt-above-bare", "request-to-receipt", "bare-request"),
        new("request-to-receipt-with-dedup-id-above-bare", "request-to-receipt-with-dedup-id", "bare-request-with-dedup-id"),
    ];
}
