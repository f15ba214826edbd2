using System.Globalization;
using ZapierTriggers.Tests.Fuzz.Targets;

namespace ZapierTriggers.Tests.Unit.Fuzzing;

/// <summary>
/// Each fuzz target on its corpus and on seeded changes of it: no exception, all invariants kept. 5,000 changes a target, or as many as
/// ZAP_TEST_FUZZ_ROUNDS says; longer runs: tests/Fuzz/README.md.
/// </summary>
public sealed class FuzzTargetsTests
{
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("ZAP_TEST_FUZZ_ROUNDS"),
        CultureInfo.InvariantCulture, out var rounds) ? rounds : 5_000;

    public static TheoryData<string> Targets => [.. FuzzTarget.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Keeps_its_invariants_on_the_corpus(string name)
    {
        var target = FuzzTarget.All.Single(one => one.Name == name);
        var inputs = InputsOf(target);

        Assert.NotEmpty(inputs);
        foreach (var (source, input) in inputs) RunOn(target, input, source);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Keeps_its_invariants_on_changes_of_the_corpus(string name)
    {
        var target = FuzzTarget.All.Single(one => one.Name == name);
        var mutation = new Mutation(seed: 1, [.. InputsOf(target).Select(one => one.Input)]);

        for (var i = 0; i < Rounds; i++) RunOn(target, mutation.Next(), $"change {i}");
    }

    [Fact]
    public void A_frame_with_any_bit_changed_is_not_good()
    {
        foreach (var frame in FuzzTarget.All.Single(one => one.Name == "frame").Seeds().Where(bytes => bytes.Length > 64).Take(3))
        {
            for (var bit = 0; bit < frame.Length * 8; bit++)
            {
                var changed = (byte[])frame.Clone();
                changed[bit / 8] ^= (byte)(1 << (bit % 8));
                FrameTarget.Run(changed);
            }
        }
    }

    private static List<(string Source, byte[] Input)> InputsOf(FuzzTarget target)
    {
        var folder = Path.Combine(RepositoryRoot.Path, "tests/Fuzz/Corpus", target.Name);
        var files = Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)
            .Select(file => (file, File.ReadAllBytes(file))) : [];
        return [.. target.Seeds().Select((bytes, i) => ($"seed {i}", bytes)), .. files];
    }

    private static void RunOn(FuzzTarget target, byte[] input, string source)
    {
        try
        {
            target.Run(input);
        }
        catch (Exception finding)
        {
            Assert.Fail($"{target.Name}, {source}: {Convert.ToBase64String(input)}\n{finding}");
        }
    }
}
