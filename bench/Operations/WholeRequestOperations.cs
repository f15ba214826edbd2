using System.Text;

namespace ZapierTriggers.Bench.Operations;

/// <summary>
/// A request whole, without sockets: its bytes into the real server's pipeline, the receipt's bytes out of it. What is stored is not in it:
/// the store is held.
/// </summary>
internal static class WholeRequestOperations
{
    private const int BatchItems = 100;

    // Shared: a start takes a second, and the server of one operation would be in the others' figures.
    private static readonly Lazy<HeldServer> Server = new(HeldServer.Start);

    /// <summary>The operations.</summary>
    public static IReadOnlyList<Operation> All { get; } =
    [
        new("request-to-receipt", () => Post("/api/events", Bodies.Small, withDedupId: false), OnManyThreads: true),
        new("request-to-receipt-with-dedup-id", () => Post("/api/events", Bodies.Small, withDedupId: true), OnManyThreads: true),
        new("request-to-receipt-batch-of-100", () => Post("/api/events/batch", Batch(), withDedupId: false), OnManyThreads: true),
    ];

    private static Func<long> Post(string path, byte[] body, bool withDedupId)
    {
        const string Id = "0000000000000000";
        const string Stamp = $$"""{"dedup_id":"{{Id}}",""";
        if (withDedupId) body = [.. Encoding.ASCII.GetBytes(Stamp), .. body.AsSpan(1)];
        var head = $"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {Server.Value.Key}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        byte[] request = [.. Encoding.ASCII.GetBytes(head), .. body];
        var id = request.AsMemory(head.Length + Stamp.IndexOf(Id, StringComparison.Ordinal), Id.Length);
        var connection = Server.Value.Connect();
        return () =>
        {
            if (withDedupId) Server.Value.NextNumber().TryFormat(id.Span, out _, "x16");
            var (status, length) = connection.Send(request);
            return status is 200 or 202 ? length : throw new InvalidOperationException($"The server answered {status}.");
        };
    }

    private static byte[] Batch() =>
        [.. "["u8, .. Enumerable.Repeat(Bodies.Small, BatchItems).SelectMany((body, n) => n == 0 ? body : [(byte)',', .. body]), .. "]"u8];
}
