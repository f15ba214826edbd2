using System.Globalization;

namespace ZapierTriggers.Bench.Allocations;

/// <summary>
/// Measures the bytes that each <see cref="Operation"/> allocates and compares them with the committed table, and what some allocate above
/// their yardsticks with its bars: unlike times, bytes are the same on every machine. Takes seconds, needs no BenchmarkDotNet run.
/// </summary>
internal static class AllocationCheck
{
    private const int WarmUps = 2_000; // past the tiers of the compiler that box or allocate where the last does not
    private const int Iterations = 20_000; // large enough that a pooled array now and then does not show

    // What is amortised (a new generation, a pool's first array) may differ a little from run to run.
    private const double Tolerance = 0.02;

    /// <summary>Prints the table; 1 when an operation allocates more than expected, or has no row, or is over its bar, else 0.</summary>
    public static int Run(TextWriter output)
    {
        var expected = AllocationTable.Read();
        var measured = new Dictionary<string, double>(StringComparer.Ordinal);
        var failed = 0;
        output.WriteLine($"{"operation",-45} {"expected",10} {"measured",10}  bytes per operation");
        foreach (var operation in Operation.All)
        {
            var bytes = measured[operation.Name] = Measure(operation);
            Tell(operation.Name, bytes, Verdict(RowOf(operation.Name), bytes));
        }

        foreach (var difference in Difference.All)
        {
            var bytes = measured[difference.Operation] - measured[difference.Yardstick];
            Tell(difference.Name, bytes, VerdictOfBar(RowOf(difference.Name), bytes));
        }

        foreach (var name in expected.Keys.Except(measured.Keys.Concat(Difference.All.Select(static d => d.Name))))
        {
            failed++;
            output.WriteLine($"{name,-45} has a row in {AllocationTable.FileName}, but there is no such operation");
        }

        output.WriteLine(failed == 0
            ? "No operation allocates more than expected."
            : $"{failed} rows do not hold; see {AllocationTable.FileName}.");
        return failed == 0 ? 0 : 1;

        double? RowOf(string name) => expected.TryGetValue(name, out var bytes) ? bytes : null;

        void Tell(string name, double bytes, (bool Fails, string Text) verdict)
        {
            if (verdict.Fails) failed++;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-45} {RowOf(name),10} {bytes,10:0.##}  {verdict.Text}"));
        }
    }

    private static (bool Fails, string Text) VerdictOfBar(double? bar, double measured) => bar switch
    {
        null => (true, $"NO ROW: add it to {AllocationTable.FileName}"),
        { } bytes when measured > bytes => (true, "OVER THE BAR"),
        _ => (false, "within the bar"),
    };

    private static (bool Fails, string Text) Verdict(double? expected, double measured) => expected switch
    {
        null => (true, $"NO ROW: add it to {AllocationTable.FileName}"),
        { } bytes when measured > (bytes * (1 + Tolerance)) + 0.5 => (true, "GREW"),
        { } bytes when measured < (bytes * (1 - Tolerance)) - 0.5 => (false, "less than expected: lower the row"),
        _ => (false, ""),
    };

    private static double Measure(Operation operation)
    {
        var work = operation.Prepare();
        Repeat(work, operation.OnManyThreads ? WarmUps * 5 : WarmUps); // A request passes far more code, which reaches its last tier later.
        var before = Allocated(operation);
        Repeat(work, Iterations);
        return (double)(Allocated(operation) - before) / Iterations;
    }

    private static long Allocated(Operation operation) =>
        operation.OnManyThreads ? GC.GetTotalAllocatedBytes(precise: true) : GC.GetAllocatedBytesForCurrentThread();

    private static void Repeat(Func<long> work, int times)
    {
        var sum = 0L;
        for (var i = 0; i < times; i++) sum += work();
        GC.KeepAlive(sum);
    }
}
