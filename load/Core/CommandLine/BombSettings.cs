using System.Globalization;

namespace ZapierTriggers.Load.Core.CommandLine;

/// <summary>What load/NBomber is to do, from environment variables.</summary>
internal sealed record BombSettings
{
    private static readonly string[] Scenarios = ["ingest", "duplicates", "mixed", "batch", "webhooks"];

    /// <summary>
    /// <c>ZAP_LOAD_SCENARIO</c>: ingest (default), duplicates, mixed (70 % ingest, 20 % inbox, 10 % ack), batch, webhooks.
    /// </summary>
    public required string Scenario { get; init; }

    /// <summary><c>ZAP_LOAD_URL</c>, default <c>http://localhost:8080</c>.</summary>
    public required Uri Server { get; init; }

    /// <summary><c>ZAP_LOAD_KEY</c>: an organization's key; without it one is made.</summary>
    public string? Key { get; init; }

    /// <summary><c>ZAP_LOAD_ADMIN_TOKEN</c>: makes the organization with it and lifts its rate limit.</summary>
    public string? AdminToken { get; init; }

    /// <summary><c>ZAP_LOAD_RATE</c>: invocations a second, default 500.</summary>
    public required int Rate { get; init; }

    /// <summary><c>ZAP_LOAD_SECONDS</c>: seconds at that rate after a ramp of a quarter of it, default 20.</summary>
    public required int Seconds { get; init; }

    /// <summary><c>ZAP_LOAD_SIZE</c>: bytes of a payload, default 400.</summary>
    public required int Size { get; init; }

    /// <summary><c>ZAP_LOAD_P99_MS</c>: the highest p99 that passes, in milliseconds, default 250.</summary>
    public required int MostMilliseconds { get; init; }

    /// <summary>Reads them.</summary>
    /// <param name="read">Gives a variable's text, or null.</param>
    /// <exception cref="UsageException">One is wrong.</exception>
    public static BombSettings Read(Func<string, string?> read)
    {
        var (scenario, url) = (read("ZAP_LOAD_SCENARIO") ?? "ingest", read("ZAP_LOAD_URL") ?? "http://localhost:8080");
        if (!Scenarios.Contains(scenario, StringComparer.Ordinal))
            throw new UsageException($"ZAP_LOAD_SCENARIO knows no '{scenario}'; there are {string.Join(", ", Scenarios)}.");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var server)) throw new UsageException($"ZAP_LOAD_URL is no address: '{url}'.");
        return new BombSettings
        {
            Scenario = scenario,
            Server = server,
            Key = read("ZAP_LOAD_KEY"),
            AdminToken = read("ZAP_LOAD_ADMIN_TOKEN"),
            Rate = Count(read, "ZAP_LOAD_RATE", 500),
            Seconds = Count(read, "ZAP_LOAD_SECONDS", 20),
            Size = Count(read, "ZAP_LOAD_SIZE", 400),
            MostMilliseconds = Count(read, "ZAP_LOAD_P99_MS", 250),
        };
    }

    private static int Count(Func<string, string?> read, string name, int otherwise)
    {
        if (read(name) is not { Length: > 0 } text) return otherwise;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? count
            : throw new UsageException($"{name} needs a whole number of at least 1, not '{text}'.");
    }
}
