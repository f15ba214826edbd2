using System.Net.Sockets;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Webhooks;

/// <summary>
/// Receivers with bad habits, on real sockets and through the whole delivery: each costs one failed try that is recorded in words, and
/// gives its place back.
/// </summary>
public sealed class BadReceiversTests
{
    private const string Timeout = "No whole answer within the deadline.";

    /// <summary>More than what lies in the sockets' buffers when the sender closes.</summary>
    private const long BufferedBytes = 32 << 20;

    [Fact]
    public Task Never_answering() => FailsAsync((socket, _, cancel) => BadHabits.SayNothingAsync(socket, cancel), Timeout);

    [Fact]
    public Task Never_reading() => FailsAsync((socket, _, cancel) => BadHabits.ReadNothingAsync(socket, cancel), Timeout);

    [Fact]
    public Task One_byte_a_second() =>
        FailsAsync((socket, time, cancel) => BadHabits.DripAsync(socket, time, BadHabits.Head("200 OK", "Content-Length: 5") + "hello", cancel), Timeout);

    [Fact]
    public async Task One_byte_a_second_of_a_body()
    {
        var attempt = await FailsAsync(async (socket, time, cancel) =>
        {
            await RawServer.SendAsync(socket, BadHabits.Head("200 OK", "Content-Length: 4000"), cancel);
            await BadHabits.DripAsync(socket, time, new string('x', 4000), cancel);
        }, Timeout);
        Assert.InRange(attempt.LatencyMilliseconds, 30_000, 32_000);
    }

    [Theory]
    [InlineData("Content-Type: text/plain")]
    [InlineData("Content-Length: 999999999999")]
    public async Task An_endless_body(string header)
    {
        var sent = 0L;
        var attempt = await FailsAsync(
            async (socket, _, cancel) => sent = await BadHabits.FloodAsync(
                socket, BadHabits.Head("500 Oh no", header), "x"u8.ToArray().Concat(new byte[16_383]).ToArray(), cancel),
            "Answered 500.");
        Assert.Equal((500, AnswerText.MaxBytes), (attempt.ResponseStatus, attempt.ResponseBody!.Length));
        await Poll.UntilAsync(() => Volatile.Read(ref sent) > 0, "the receiver is stopped");
        Assert.InRange(sent, 1, BufferedBytes);
    }

    [Fact]
    public async Task A_gzip_bomb_is_not_unpacked()
    {
        var bomb = BadHabits.GzipBomb();
        var attempt = await FailsAsync(
            (socket, _, cancel) =>
                BadHabits.FloodAsync(
                    socket, BadHabits.Head("500 Oh no", "Content-Encoding: gzip", "Content-Type: application/json"), bomb,
                    cancel), "Answered 500.");
        Assert.InRange(attempt.ResponseBody!.Length, 1, AnswerText.MaxBytes);
        Assert.DoesNotContain('\0', attempt.ResponseBody);
    }

    [Fact]
    public Task A_reset() => FailsAsync(
        (socket, _, cancel) => BadHabits.ResetAsync(socket, cancel), "The connection ended before the answer did: reset by the receiver.");

    [Fact]
    public Task A_half_closed_connection() =>
        FailsAsync((socket, _, cancel) => BadHabits.HalfCloseAsync(socket, cancel), "The connection ended before the answer did: closed by the receiver.");

    [Fact]
    public Task A_certificate_of_its_own() =>
        FailsAsync((socket, _, cancel) => BadHabits.ShowOwnCertificateAsync(socket, cancel), "The TLS handshake failed: ", scheme: "https");

    [Fact]
    public Task No_TLS_where_it_was_promised() => FailsAsync(
        async (socket, _, cancel) =>
            await RawServer.SendAsync(socket, BadHabits.Head("400 Bad Request"), cancel), "The TLS handshake failed: ", scheme: "https");

    [Fact]
    public async Task A_redirect_to_an_inner_address()
    {
        await using var inner = new RawServer(static (socket, _, cancel) => BadHabits.HoldAsync(socket, cancel));
        var attempt = await FailsAsync(
            (socket, _, cancel) =>
                BadHabits.AnswerAsync(socket, BadHabits.Head("302 Found", $"Location: {inner.Url}", "Content-Length: 0"), cancel),
            "Answered 302: redirects are not followed; register the final URL.");
        Assert.Equal((302, 0), (attempt.ResponseStatus, inner.Connections));
    }

    [Fact]
    public async Task A_pause_until_the_end_of_time_is_a_day()
    {
        await using var server = Server((socket, _, cancel) => BadHabits.AnswerAsync(socket, BadHabits.Head("429 Slow down", "Retry-After: 9999999999", "Content-Length: 0"), cancel), null!);
        await using var rig = new DeliveryRig();
        await rig.Dispatcher.StartAsync(CancellationToken.None);
        var endpoint = await rig.Dispatcher.SetDefaultAsync(DeliveryRig.Organization, server.Url, 0, CancellationToken.None);
        var id = rig.Store1();
        await rig.RunUntilAsync(() => rig.Store.StatusOf(endpoint.Id, id) == EventStatus.Failed, "the failed try");

        var result = Assert.Single(rig.Store.Results);
        Assert.InRange(
            result.NextAttemptAt!.Value - result.Attempt!.At, TimeSpan.FromHours(24), TimeSpan.FromHours(24) + TimeSpan.FromMinutes(1));
        Assert.Equal(0, rig.Dispatcher.InFlight);
    }

    /// <summary>One event to such a receiver; the one try as it was recorded.</summary>
    private static async Task<AttemptRecord> FailsAsync(
        Func<Socket, TimeProvider, CancellationToken, Task> habit, string error, string scheme = "http")
    {
        await using var rig = new DeliveryRig();
        await using var server = Server(habit, rig.Clock);
        await rig.Dispatcher.StartAsync(CancellationToken.None);
        var endpoint = await rig.Dispatcher.SetDefaultAsync(
            DeliveryRig.Organization, $"{scheme}://127.0.0.1:{server.Port}/hook", 0, CancellationToken.None);
        var id = rig.Store1();
        await rig.RunUntilAsync(
            () => rig.Store.StatusOf(endpoint.Id, id) == EventStatus.Failed, "the failed try", busyStep: TimeSpan.FromMilliseconds(100));

        var attempt = Assert.Single(rig.Store.Results).Attempt!;
        Assert.StartsWith(error, attempt.Error, StringComparison.Ordinal);
        Assert.Equal((1, 0, 1), (attempt.Number, rig.Dispatcher.InFlight, server.Connections));
        return attempt;
    }

    private static RawServer Server(Func<Socket, TimeProvider, CancellationToken, Task> habit, TimeProvider time) =>
        new((socket, _, cancel) => habit(socket, time, cancel));
}
