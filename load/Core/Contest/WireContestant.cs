using System.Net.Sockets;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Contest.Wire;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Load.Core.Contest;

/// <summary>Another product that a user might take instead, spoken to in its own protocol.</summary>
/// <param name="name">What the table calls it.</param>
/// <param name="survives">Which failure an acknowledgement survives.</param>
/// <param name="command">Prepares the directory and gives program and arguments.</param>
/// <param name="protocolOf">The protocol, for the events of a source.</param>
/// <param name="prepare">What to do once, over a connection of its own, before the first event; null does nothing.</param>
internal sealed class WireContestant(
    string name,
    string survives,
    Func<TemporaryProcess, (string Program, string[] Arguments)> command,
    Func<EventSource, IWireProtocol> protocolOf,
    Action<Socket>? prepare = null) : IContestant
{
    private readonly TemporaryProcess _process = new();
    private readonly RequestNumbers _numbers = new();
    private EventSource? _source;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public string Survives => survives;

    /// <summary>Redis Streams with an append-only file.</summary>
    /// <param name="fsync">everysec or always.</param>
    public static WireContestant Redis(string fsync) => new(
        $"Redis XADD, appendfsync {fsync}",
        fsync == "always" ? "process; power" : "process; power: all but about the last second",
        process => (Programs.Find("redis-server"),
            [
                "--bind", "127.0.0.1", "--port", process.Port, "--dir", process.Directory,
                "--appendonly", "yes", "--appendfsync", fsync, "--save", "",
            ]),
        source => new RedisProtocol(source));

    /// <summary>NATS JetStream with a file store.</summary>
    public static WireContestant Nats() => new(
        "NATS JetStream publish, file",
        "process; power: all but the last sync_interval (2 min)",
        process => (Programs.Find("nats-server"), ["-a", "127.0.0.1", "-p", process.Port, "-js", "-sd", process.Directory]),
        source => new NatsProtocol(source),
        NatsProtocol.CreateStream);

    /// <summary>PostgreSQL, a row in a transaction of its own.</summary>
    public static WireContestant Postgres() => new(
        "PostgreSQL single-row INSERT",
        "process; power",
        PostgresFiles.Command,
        source => new PostgresProtocol(source),
        PostgresProtocol.CreateTable);

    /// <inheritdoc/>
    public async Task StartAsync(EventSource source, CancellationToken stop)
    {
        _source = source;
        var (program, arguments) = command(_process);
        await _process.StartAsync(program, arguments, settings: null, stop);
        if (prepare is null) return;
        await Task.Delay(TimeSpan.FromMilliseconds(500), stop); // PostgreSQL listens a moment before it takes connections.
        using var socket = _process.Connect();
        prepare(socket);
    }

    /// <inheritdoc/>
    public Task<ContestRound> RoundAsync(int connections, TimeSpan duration, CancellationToken stop) =>
        new WireLoop(protocolOf(_source!), _process.Address, _source!, _numbers).RunAsync(connections, duration, stop);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
