using CsCheck;

namespace ZapierTriggers.Tests.Unit.Dedup;

/// <summary>The window against a plain dictionary, over any order of what can happen to it.</summary>
public sealed class DedupWindowPropertyTests
{
    private enum Step
    {
        Publish,
        Preload,
        Store,
        Wait,
        WaitForHours,
        Maintain,
    }

    private static readonly Gen<(Step Kind, int Key, int Amount)> Steps = Gen.Select(
        Gen.Frequency(
            (30, Gen.Const(Step.Publish)), (6, Gen.Const(Step.Preload)), (3, Gen.Const(Step.Store)), (3, Gen.Const(Step.Wait)),
            (1, Gen.Const(Step.WaitForHours)), (1, Gen.Const(Step.Maintain))),
        Gen.Int[0, 300],
        Gen.Int[1, 1_000]);

    [Fact]
    public void Whatever_happens_it_finds_what_it_covers_and_nothing_else() =>
        Gen.Select(Gen.OneOf(1, 64, 200, 1_000, 100_000), Gen.OneOf(0, 64, 1_024, 1 << 20), Steps.Array[1, 800]).Sample(Run, iter: 200);

    private static void Run(int maxEntries, int filterBytes, (Step Kind, int Key, int Amount)[] steps)
    {
        var test = new WindowUnderTest(maxEntries, filterBytes);
        foreach (var (kind, key, amount) in steps)
        {
            Take(test, kind, key, amount);
            test.Check(key);
            test.Check(amount % 300);
        }

        test.Window.Maintenance.Wait();
        Assert.Null(test.Window.MaintenanceFault);
        foreach (var key in test.Model.Keys) test.Check(key);

        test.Store(ulong.MaxValue);
        test.Window.Maintain();
        test.Window.Maintenance.Wait();
        Assert.InRange(test.Window.Count, 0, maxEntries);
        foreach (var key in test.Model.Keys) test.Check(key);
    }

    private static void Take(WindowUnderTest test, Step kind, int key, int amount)
    {
        switch (kind)
        {
            case Step.Publish when !(test.Model.TryGetValue(key, out var known) && known.IsLive(test.Now)):
                test.Publish(key);
                break;
            case Step.Preload when !test.Model.ContainsKey(key):
                test.Preload(key, WindowUnderTest.Start - TimeSpan.FromMinutes(amount * 2));
                break;
            case Step.Store:
                test.Store(test.Last.High);
                break;
            case Step.Wait:
                test.Clock.Advance(TimeSpan.FromMilliseconds(amount));
                break;
            case Step.WaitForHours:
                test.Clock.Advance(TimeSpan.FromHours(amount / 80.0));
                break;
            case Step.Maintain:
                test.Window.Maintain();
                break;
        }
    }
}
