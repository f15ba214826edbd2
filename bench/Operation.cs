namespace ZapierTriggers.Bench;

/// <summary>
/// One named piece of work, timed by <see cref="OperationBenchmarks"/> and weighed by the allocation check. Its set-up runs once, when it
/// is first asked for.
/// </summary>
/// <param name="Name">Letters, digits and dashes; the row's name in <c>allocations.tsv</c>.</param>
/// <param name="Prepare">Makes what the work needs and returns the work itself, whose result keeps it from being optimised away.</param>
/// <param name="OnManyThreads">Whether other threads do a part of the work, so that what the whole process allocates is weighed.</param>
internal sealed record Operation(string Name, Func<Func<long>> Prepare, bool OnManyThreads = false)
{
    /// <summary>All operations; a new one is one line in one of these lists.</summary>
    public static IReadOnlyList<Operation> All { get; } =
    [
        .. Operations.EventOperations.All,
        .. Operations.DedupOperations.All,
        .. Operations.RequestOperations.All,
        .. Operations.WholeRequestOperations.All,
    ];

    /// <inheritdoc/>
    public override string ToString() => Name;
}
