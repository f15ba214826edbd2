using System.Globalization;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>How long the tests of database trouble take: <c>ZAP_TEST_TROUBLE_ROUNDS</c>, 1 by default; 5 is the long form.</summary>
internal static class Rounds
{
    /// <summary>How often a short test's trouble is repeated.</summary>
    public static int Count { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("ZAP_TEST_TROUBLE_ROUNDS"), CultureInfo.InvariantCulture, out var rounds)
            ? Math.Max(1, rounds)
            : 1;
}
