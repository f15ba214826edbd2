using BenchmarkDotNet.Attributes;

namespace ZapierTriggers.Bench;

/// <summary>Times every <see cref="Operation"/>: <c>--filter '*' --job short</c>, or some with <c>--filter '*dedup-find*'</c>.</summary>
[MemoryDiagnoser]
public class OperationBenchmarks
{
    private Func<long> _work = static () => 0;

    /// <summary>Names of all operations.</summary>
    public static IEnumerable<string> Names => Bench.Operation.All.Select(static o => o.Name);

    /// <summary>The operation's name.</summary>
    [ParamsSource(nameof(Names))]
    public string Operation { get; set; } = "";

    /// <summary>Makes what the work needs.</summary>
    [GlobalSetup]
    public void Prepare() => _work = Bench.Operation.All.Single(o => o.Name == Operation).Prepare();

    /// <summary>The work.</summary>
    [Benchmark]
    public long Run() => _work();
}
