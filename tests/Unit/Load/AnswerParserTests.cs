using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Http;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class AnswerParserTests
{
    private const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";
    private const string Body = "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}";

    public static TheoryData<string, int, string> Answers => new()
    {
        { $"HTTP/1.1 202 Accepted\r\nX-Request-Id: a:b\r\nContent-Length: {Body.Length}\r\n\r\n{Body}", 202, Body },
        { $"HTTP/1.1 409 Conflict\r\ncontent-length:{Body.Length}\r\nconnection: Close\r\n\r\n{Body}", 409, Body },
        {
            "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n"
            + $"5\r\n{Body[..5]}\r\n{Body.Length - 5:x};name=value\r\n{Body[5..]}\r\n0\r\nTrailer: x\r\n\r\n", 202, Body
        },
        {
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
            + $"HTTP/1.1 200 OK\r\nContent-Length: {Body.Length}\r\n\r\n{Body}", 200, Body
        },
        { "HTTP/1.1 204 No Content\r\n\r\n", 204, "" },
        { "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 503, "" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Every_prefix_is_incomplete_and_the_whole_is_read(string text, int status, string body)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var length = 0; length < bytes.Length; length++)
        {
            // One array all along: an incomplete parse must leave the bytes as they are.
            Assert.Equal(ParseResult.Incomplete, AnswerParser.TryParse(bytes.AsSpan(0, length), ended: false, out _, out _, out _));
        }

        Assert.Equal(ParseResult.Complete, AnswerParser.TryParse(bytes, ended: false, out var answer, out var range, out var consumed));
        Assert.Equal(status, answer.Status);
        Assert.Equal(body, Encoding.ASCII.GetString(bytes.AsSpan(range)));
        Assert.Equal(body.Length > 0 ? Id : default(EventId).ToString(), answer.Id.ToString());
        Assert.Equal(text.Contains("Close"), answer.Close);
        Assert.Equal(bytes.Length, consumed);
    }

    [Fact]
    public void What_follows_an_answer_is_left()
    {
        var bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1"u8.ToArray();
        Assert.Equal(ParseResult.Complete, AnswerParser.TryParse(bytes, ended: false, out _, out _, out var consumed));
        Assert.Equal(bytes.Length - 8, consumed);
    }

    [Fact]
    public void A_body_without_a_length_ends_with_the_connection()
    {
        var bytes = "HTTP/1.1 200 OK\r\n\r\nabc"u8.ToArray();
        Assert.Equal(ParseResult.Incomplete, AnswerParser.TryParse(bytes, ended: false, out _, out _, out _));
        Assert.Equal(ParseResult.Complete, AnswerParser.TryParse(bytes, ended: true, out var answer, out var body, out _));
        Assert.Equal("abc"u8, bytes.AsSpan(body));
        Assert.True(answer.Close);
    }

    [Theory]
    [InlineData("SSH-2.0-server")]
    [InlineData("HTTP/2.0 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 2x0 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 12a\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc")]
    public void What_is_no_answer_is_refused(string text) =>
        Assert.Equal(ParseResult.Invalid, AnswerParser.TryParse(Encoding.ASCII.GetBytes(text), ended: false, out _, out _, out _));

    [Theory]
    [InlineData("{\"id\":\"x\",\"event_id\" : \"01890a5d-ac96-774b-bcce-b302099a8057\"}", Id)]
    [InlineData("{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}", Id)]
    [InlineData("{\"event_id\":\"01890a5d\"}", "00000000-0000-0000-0000-000000000000")]
    [InlineData("{\"event_id\":", "00000000-0000-0000-0000-000000000000")]
    [InlineData("{}", "00000000-0000-0000-0000-000000000000")]
    public void The_id_is_found(string json, string id) => Assert.Equal(id, AnswerParser.FindId(Encoding.ASCII.GetBytes(json)).ToString());
}
