namespace ZapierTriggers.Tests.Integration.EndToEnd;

/// <summary>
/// Request bodies of a real producer, one a line: <c>shared/data/github-events.ndjson</c> in a folder above the test program. Where there
/// is none, made-up ones stand in, and the test's output says so.
/// </summary>
internal static class SampleEvents
{
    private const int MadeUp = 329;

    /// <summary>The bodies.</summary>
    public static IReadOnlyList<string> Read()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var file = Path.Combine(folder, "shared", "data", "github-events.ndjson");
            if (File.Exists(file)) return File.ReadAllLines(file);
        }

        TestContext.Current.TestOutputHelper?.WriteLine("shared/data/github-events.ndjson was not found; made-up events are sent.");
        return [.. Enumerable.Range(0, MadeUp).Select(MakeUp)];
    }

    /// <summary>What re-serialization would change: order, spacing, number precision, escapes, repeated keys.</summary>
    private static string MakeUp(int n) =>
        $$"""
        {"type":"sample.{{n % 7}}","payload":{ "z" : {{n}}.000, "a":1e400,
        "b":12345678901234567890,"t":"\u00e9\/{{new string('x', n * 37 % 9000)}}",  "a":[ ] } }
        """;
}
