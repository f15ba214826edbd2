using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using SharpFuzz;
using ZapierTriggers.Tests.Fuzz.Targets;

// Usage: see README.md next to this file.
if (args.Length == 0 || FuzzTarget.All.FirstOrDefault(one => one.Name == args[0]) is not { } target)
{
    Console.Error.WriteLine($"Usage: fuzz {string.Join('|', FuzzTarget.All.Select(one => one.Name))} [seconds [seed]] | --afl");
    return 2;
}

if (args is [_, "--afl"])
{
    Fuzzer.OutOfProcess.Run(stream =>
    {
        using var input = new MemoryStream();
        stream.CopyTo(input);
        target.Run(input.ToArray());
    });
    return 0;
}

var seconds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 60;
var seed = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : Environment.ProcessId;
var corpus = Path.Combine("tests/Fuzz/Corpus", target.Name);
Directory.CreateDirectory(corpus);
byte[][] inputs = [.. target.Seeds(), .. Directory.EnumerateFiles(corpus).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
var mutation = new Mutation(seed, inputs);
var start = Stopwatch.GetTimestamp();
var (runs, found) = (0L, 0);
while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds && found < 10)
{
    var input = mutation.Next();
    runs++;
    try
    {
        target.Run(input);
    }
    catch (Exception finding)
    {
        found++;
        var file = Path.Combine(corpus, $"found-{XxHash3.HashToUInt64(input):x16}");
        File.WriteAllBytes(file, input);
        Console.WriteLine($"{file}: {finding}");
    }
}

Console.WriteLine($"{target.Name}: {runs} inputs in {seconds} s with seed {seed}, {found} found");
return found == 0 ? 0 : 1;
