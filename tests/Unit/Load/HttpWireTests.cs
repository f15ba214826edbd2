using System.Text;
using ZapierTriggers.Load.Core.Http;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class HttpWireTests
{
    private const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly byte[] Request = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"u8.ToArray();

    [Fact]
    public async Task An_answer_in_single_bytes_is_read()
    {
        byte[][] pieces = [.. StubServer.Accepted(Id).Select(one => new[] { one })];
        await using var server = new StubServer(_ => ValueTask.FromResult<byte[][]?>(pieces));
        using var wire = new HttpWire(server.Url, Timeout);
        for (var i = 0; i < 3; i++)
        {
            var answer = wire.Send(Request);
            Assert.Equal((202, Id, false), (answer.Status, answer.Id.ToString(), answer.Close));
            Assert.Contains("accepted", Encoding.ASCII.GetString(wire.Body));
        }
    }

    [Fact]
    public async Task An_answer_larger_than_the_first_buffer_is_read()
    {
        var body = new string('x', 100_000);
        await using var server = new StubServer(_ => StubServer.Answer(200, body));
        using var wire = new HttpWire(server.Url, Timeout);
        Assert.Equal(200, wire.Send(Request).Status);
        Assert.Equal(body, Encoding.ASCII.GetString(wire.Body));
    }

    [Fact]
    public async Task A_connection_closed_without_an_answer_is_no_answer_and_the_next_call_connects_anew()
    {
        await using var server = new StubServer(request => request.Index == 0 ? null : StubServer.Accepted(Id));
        using var wire = new HttpWire(server.Url, Timeout);
        Assert.Equal(Answer.None, wire.Send(Request));
        Assert.Equal(202, wire.Send(Request).Status);
    }

    [Fact]
    public async Task A_half_answer_is_no_answer()
    {
        await using var server = new StubServer(request => StubServer.Answer(200, "0123456789", "Connection: close\r\n")[..^1]);
        using var wire = new HttpWire(server.Url, TimeSpan.FromMilliseconds(200));
        Assert.Equal(Answer.None, wire.Send(Request));
    }

    [Fact]
    public async Task A_server_that_is_gone_is_no_answer_until_one_is_back()
    {
        Uri url;
        await using (var first = new StubServer(_ => StubServer.Accepted(Id)))
        {
            url = first.Url;
            using var early = new HttpWire(url, Timeout);
            Assert.Equal(202, early.Send(Request).Status);
        }

        using var wire = new HttpWire(url, Timeout);
        Assert.Equal(Answer.None, wire.Send(Request));
        await using var second = new StubServer(_ => ValueTask.FromResult<byte[][]?>([StubServer.Accepted(Id)]), url.Port);
        Assert.Equal(202, wire.Send(Request).Status);
    }
}
