using ZapierTriggers.Load.Core.CommandLine;

namespace ZapierTriggers.Load.OpenLoop;

/// <summary>What <c>webhooks</c> is to measure.</summary>
internal sealed record WebhooksPlan
{
    /// <summary>What one can count on that a server accepts in a second while this machine is used for nothing else.</summary>
    private const int AcceptedPerSecond = 10_000;

    /// <summary>The server.</summary>
    public required Uri Server { get; init; }

    /// <summary>The server's process, to show its CPU time; null shows none.</summary>
    public required int? ServerId { get; init; }

    /// <summary>Rounds after the one to warm up; 0 passes over them.</summary>
    public required int Rounds { get; init; }

    /// <summary>Events of a round.</summary>
    public required int Events { get; init; }

    /// <summary>Posts in flight of the plain client: as many as the server has to one endpoint by default.</summary>
    public required int InFlight { get; init; }

    /// <summary>How long the endpoint is paused while a round's events are accepted.</summary>
    public required int HoldSeconds { get; init; }

    /// <summary>Events a second for the latency when nothing else happens.</summary>
    public required double IdleRate { get; init; }

    /// <summary>Events a second for the latency under load; null measures none.</summary>
    public required double? BusyRate { get; init; }

    /// <summary>How long each latency is measured.</summary>
    public required TimeSpan LatencyTime { get; init; }

    /// <summary>Endpoints that hang.</summary>
    public required int Hanging { get; init; }

    /// <summary>Endpoints that fail.</summary>
    public required int Failing { get; init; }

    /// <summary>Events a second for the latency alone and among bad neighbours.</summary>
    public required double NeighboursRate { get; init; }

    /// <summary>Whether there are bad neighbours.</summary>
    public bool HasNeighbours => Hanging + Failing > 0;

    /// <summary>Reads the command's own options.</summary>
    /// <exception cref="UsageException">One is wrong.</exception>
    public static WebhooksPlan Read(Arguments arguments)
    {
        var events = arguments.Count("--events", 40_000);
        return new WebhooksPlan
        {
            Server = arguments.Url("--url", "http://localhost:8080"),
            ServerId = arguments.Count("--server-pid"),
            Rounds = arguments.Flag("--no-rounds") ? 0 : arguments.Count("--rounds", 5),
            Events = events,
            InFlight = arguments.Count("--in-flight", 64),
            HoldSeconds = arguments.Count("--hold", 1 + (events + AcceptedPerSecond - 1) / AcceptedPerSecond),
            IdleRate = arguments.Number("--idle-rate", 20),
            BusyRate = arguments.Number("--busy-rate"),
            LatencyTime = TimeSpan.FromSeconds(arguments.Number("--seconds", 10)),
            Hanging = arguments.Count("--hanging") ?? 0,
            Failing = arguments.Count("--failing") ?? 0,
            NeighboursRate = arguments.Number("--neighbours-rate", 100),
        };
    }
}
