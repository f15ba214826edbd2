using System.Net;
using System.Net.Sockets;
using System.Text;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Contest.Wire;
using ZapierTriggers.Load.Core.Driving;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>The protocols of what the server is compared with, and the loop that speaks them.</summary>
public sealed class WireTests
{
    private static readonly EventSource Plain = new(EventTemplates.Generate(100, 1), DedupMode.None, 1, "wire0001");
    private static readonly EventSource WithIds = new(EventTemplates.Generate(100, 1), DedupMode.Unique, 1, "wire0001");

    [Theory]
    [InlineData("$15\r\n1526919030474-0\r\n", WireReply.Acknowledged)]
    [InlineData("-ERR unknown command\r\n", WireReply.Refused)]
    [InlineData("-OOM command not allowed\r\n", WireReply.Refused)]
    [InlineData("$-1\r\n", WireReply.Refused)]
    public void Redis_answers_are_read_at_every_split(string text, object expected) =>
        ReadSplit(new RedisProtocol(Plain), text, (WireReply)expected);

    [Theory]
    [InlineData("MSG _INBOX.load.3 1 27\r\n{\"stream\":\"EVENTS\",\"seq\":12}\r\n", WireReply.Acknowledged)]
    [InlineData("MSG _INBOX.load.3 1 34\r\n{\"error\":{\"code\":503},\"xxxxxxxxx\":1}\r\n", WireReply.Refused)]
    [InlineData("PING\r\n", WireReply.PassedOver)]
    [InlineData("+OK\r\n", WireReply.PassedOver)]
    [InlineData("-ERR 'Maximum Payload Violation'\r\n", WireReply.Refused)]
    public void Nats_answers_are_read_at_every_split(string text, object expected)
    {
        // The length is that of what follows.
        var parts = text.Split("\r\n");
        if (parts.Length == 3) text = $"{parts[0][..(parts[0].LastIndexOf(' ') + 1)]}{parts[1].Length}\r\n{parts[1]}\r\n";
        ReadSplit(new NatsProtocol(Plain), text, (WireReply)expected);
    }

    [Theory]
    [InlineData("2\0\0\0\u0004C\0\0\0\u000fINSERT 0 1\0Z\0\0\0\u0005I", WireReply.Acknowledged)]
    [InlineData("E\0\0\0\u0008abc\0Z\0\0\0\u0005I", WireReply.Refused)]
    public void Postgres_answers_are_read_at_every_split(string text, object expected) =>
        ReadSplit(new PostgresProtocol(Plain), text, (WireReply)expected);

    [Fact]
    public void A_redis_command_is_an_array_of_bulk_strings_with_the_body_last()
    {
        var text = Encoding.UTF8.GetString(new RedisProtocol(Plain).Encode(5, 0));
        var body = Body(Plain, 5);
        Assert.StartsWith("*8\r\n$4\r\nXADD\r\n$6\r\nevents\r\n", text);
        Assert.EndsWith($"$1\r\ne\r\n${Encoding.UTF8.GetByteCount(body)}\r\n{body}\r\n", text);
    }

    [Fact]
    public void A_nats_publish_carries_the_dedup_id_as_its_message_id()
    {
        var text = Encoding.UTF8.GetString(new NatsProtocol(WithIds).Encode(5, 12));
        var header = $"NATS/1.0\r\nNats-Msg-Id: {WithIds.DedupIdOf(5)}\r\n\r\n";
        var body = Body(WithIds, 5);
        var length = header.Length + Encoding.UTF8.GetByteCount(body);
        Assert.Equal($"HPUB events.load _INBOX.load.12 {header.Length} {length}\r\n{header}{body}\r\n", text);
        Assert.StartsWith("PUB events.load _INBOX.load.12 ", Encoding.UTF8.GetString(new NatsProtocol(Plain).Encode(5, 12)));
    }

    [Fact]
    public void A_postgres_insert_is_bind_execute_sync_with_true_lengths()
    {
        var bytes = new PostgresProtocol(Plain).Encode(5, 0).ToArray();
        var types = new List<char>();
        for (var at = 0; at < bytes.Length;)
        {
            types.Add((char)bytes[at]);
            at += 1 + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at + 1));
            Assert.True(at <= bytes.Length);
        }

        Assert.Equal(['B', 'E', 'S'], types);
        Assert.Contains(Body(Plain, 5), Encoding.UTF8.GetString(bytes));
    }

    [Fact]
    public async Task The_loop_keeps_one_request_on_each_connection_and_counts_what_was_answered()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ServeAsync(listener)));
        var round = await new WireLoop(new RedisProtocol(Plain), listener.LocalEndpoint, Plain, new RequestNumbers())
            .RunAsync(3, TimeSpan.FromSeconds(0.3), TestContext.Current.CancellationToken);
        var served = (await serving).Sum();
        Assert.True(round.Acknowledged > 3);
        Assert.Equal(served, round.Acknowledged + round.Refused);
        Assert.True(round.Refused > 0);
        Assert.Equal(round.Elapsed, round.Drained);
    }

    [Fact]
    public async Task A_connection_that_is_closed_ends_the_round()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var closing = Task.Run(async () => (await listener.AcceptSocketAsync()).Dispose());
        var loop = new WireLoop(new RedisProtocol(Plain), listener.LocalEndpoint, Plain, new RequestNumbers());
        await Assert.ThrowsAsync<IOException>(
            () => loop.RunAsync(1, TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        await closing;
    }

    /// <summary>Refuses each hundredth command, answers the others; returns how many there were.</summary>
    private static async Task<long> ServeAsync(TcpListener listener)
    {
        using var socket = await listener.AcceptSocketAsync();
        var (buffer, filled, count) = (new byte[1 << 16], 0, 0L);
        while (await socket.ReceiveAsync(buffer.AsMemory(filled)) is var received and > 0)
        {
            filled += received;
            if (!Encoding.UTF8.GetString(buffer, 0, filled).EndsWith("}\r\n", StringComparison.Ordinal)) continue;
            filled = 0;
            await socket.SendAsync(Encoding.ASCII.GetBytes(count++ % 100 == 1 ? "-ERR no\r\n" : "$3\r\n1-1\r\n"));
        }

        return count;
    }

    private static void ReadSplit(IWireProtocol protocol, string text, WireReply expected)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        for (var length = 0; length < bytes.Length; length++) Assert.Equal(
            WireReply.Incomplete, protocol.TryRead(bytes.AsSpan(0, length), out _));
        byte[] more = [.. bytes, .. bytes];
        Assert.Equal(expected, protocol.TryRead(more, out var consumed));
        Assert.Equal(bytes.Length, consumed);
    }

    private static string Body(EventSource source, long content) =>
        Encoding.UTF8.GetString(source.CreateEncoder((body, _) => body).Encode(content));
}
