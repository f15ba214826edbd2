using System.Text;
using ZapierTriggers.Load.Core.Yardstick;

namespace ZapierTriggers.Bench.Operations;

/// <summary>
/// A request whole, without sockets: its bytes into the real server's pipeline, the receipt's bytes out of it. What is stored is not in it:
/// the store is held. Beside it the yardstick: a bare Kestrel over the same connections, which gets the same bytes and answers the same.
/// </summary>
internal static class WholeRequestOperations
{
    private const int BatchItems = 100;

    // Shared: a start takes a second, and the server of one operation would be in the others' figures.
    private static readonly Lazy<HeldServer> Server = new(HeldServer.Start);
    private static readonly Lazy<MemoryTransport> Bare = new(StartBare);

    /// <summary>The operations.</summary>
    public static IReadOnlyList<Operation> All { get; } =
    [
        // First, while the real server is not there: what that does of its own accord is in the figures of the whole process.
        new("bare-request", () => PostBare(withDedupId: false), OnManyThreads: true),
        new("bare-request-with-dedup-id", () => PostBare(withDedupId: true), OnManyThreads: true),
        new("request-to-receipt", () => Post("/api/events", Bodies.Small, withDedupId: false), OnManyThreads: true),
        new("request-to-receipt-with-dedup-id", () => Post("/api/events", Bodies.Small, withDedupId: true), OnManyThreads: true),
        new("request-to-receipt-batch-of-100", () => Post("/api/events/batch", Batch(), withDedupId: false), OnManyThreads: true),
    ];

    private static MemoryTransport StartBare()
    {
        var transport = new MemoryTransport();
        BareServer.StartAsync(port: 18080, connections: transport).GetAwaiter().GetResult();
        return transport;
    }

    private static Func<long> PostBare(bool withDedupId)
    {
        var number = 0L;
        var key = "zap_live_" + new string('0', 8 + 43 + 6); // As long as a real one.
        return Post(new MemoryClient(Bare.Value.Connect()), key, () => ++number, "/api/events", Bodies.Small, withDedupId);
    }

    private static Func<long> Post(string path, byte[] body, bool withDedupId) =>
        Post(Server.Value.Connect(), Server.Value.Key, Server.Value.NextNumber, path, body, withDedupId);

    private static Func<long> Post(MemoryClient connection, string key, Func<long> nextNumber, string path, byte[] body, bool withDedupId)
    {
        const string Id = "0000000000000000";
        const string Stamp = $$"""{"dedup_id":"{{Id}}",""";
        if (withDedupId) body = [.. Encoding.ASCII.GetBytes(Stamp), .. body.AsSpan(1)];
        var head = $"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        byte[] request = [.. Encoding.ASCII.GetBytes(head), .. body];
        var id = request.AsMemory(head.Length + Stamp.IndexOf(Id, StringComparison.Ordinal), Id.Length);
        return () =>
        {
            if (withDedupId) nextNumber().TryFormat(id.Span, out _, "x16");
            var (status, length) = connection.Send(request);
            return status is 200 or 202 ? length : throw new InvalidOperationException($"The server answered {status}.");
        };
    }

    private static byte[] Batch() =>
        [.. "["u8, .. Enumerable.Repeat(Bodies.Small, BatchItems).SelectMany((body, n) => n == 0 ? body : [(byte)',', .. body]), .. "]"u8];
}
