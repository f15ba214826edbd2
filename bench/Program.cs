using BenchmarkDotNet.Running;
using ZapierTriggers.Bench;
using ZapierTriggers.Bench.Allocations;

if (args.Contains("--check-allocations")) return AllocationCheck.Run(Console.Out);

BenchmarkSwitcher.FromAssembly(typeof(Operation).Assembly).Run(args);
return 0;
