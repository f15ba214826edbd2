using System.Text;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class InboxReaderTests
{
    private static readonly string[] Ids = [.. Enumerable.Range(1, 5).Select(i => $"01890a5d-ac96-774b-bcce-00000000000{i}")];

    [Fact]
    public async Task All_pages_are_read_along_the_cursor_with_exact_payloads()
    {
        var paths = new List<string>();
        await using var server = new StubServer(request => Page(request, paths));
        var events = await ReadAsync(new InboxReader(Client(server), pageSize: 2));
        Assert.Equal(Ids, events.Select(e => e.Id));
        Assert.All(events, e => Assert.Equal($"{{ \"n\": 1.00, \"at\":\"{e.Id}\"}}", e.Payload));
        Assert.All(events, e => Assert.Equal(e.Id == Ids[0] ? null : "d-" + e.Id, e.DedupId));
        Assert.Equal(
            ["", $"&cursor={Ids[1]}", $"&cursor={Ids[3]}"],
            paths.Select(path => path["/api/inbox?order=asc&limit=2".Length..]));
    }

    [Fact]
    public async Task What_was_there_before_is_passed_over()
    {
        var paths = new List<string>();
        await using var server = new StubServer(request => Page(request, paths));
        var reader = new InboxReader(Client(server), pageSize: 2);
        await reader.SkipExistingAsync();
        Assert.Empty(await ReadAsync(reader));
        Assert.Equal(["/api/inbox?order=desc&limit=1", $"/api/inbox?order=asc&limit=2&cursor={Ids[4]}"], paths);
    }

    [Theory]
    [InlineData("usage.rate_limit_warning", "\"zap:usage.rate_limit_warning:0190:1\"", true)]
    [InlineData("event.dead_letter", "\"zap:event.dead_letter:0190:1\"", true)]
    [InlineData("usage.rate_limit_warning", "\"zap:event.dead_letter:0190:1\"", false)]
    [InlineData("usage.rate_limit_warning", "\"of-a-producer\"", false)] // The type is anybody's.
    [InlineData("usage.rate_limit_warning", "null", false)]
    [InlineData("usage.seen", "\"zap:usage.seen:0190:1\"", false)]
    public async Task What_the_server_itself_tells_is_marked(string type, string dedupId, bool isOperational)
    {
        var row = $$"""{"id":"{{Ids[0]}}","type":"{{type}}","event_type":"{{type}}","payload":{},"dedup_id":{{dedupId}}}""";
        await using var server = new StubServer(_ => StubServer.Answer(200, $$"""{"events":[{{row}}],"has_more":false}"""));

        Assert.Equal(isOperational, (await new InboxReader(Client(server)).ReadAsync().SingleAsync()).IsOperational);
    }

    [Fact]
    public void All_types_that_the_server_tells_are_known()
    {
        var constants = typeof(OperationalEvent).GetFields().Where(field => field.IsLiteral);
        var told = constants.Select(field => (string)field.GetRawConstantValue()!);

        Assert.Equal(told.Order(StringComparer.Ordinal), OwnEvents.Types.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("{\"events\":[],\"has_more\":true}")]
    [InlineData("{\"events\":[{\"id\":\"x\"}],\"has_more\":false}")]
    [InlineData("[]")]
    public async Task A_page_against_the_contract_is_refused(string page)
    {
        await using var server = new StubServer(_ => StubServer.Answer(200, page));
        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(new InboxReader(Client(server))));
    }

    [Fact]
    public async Task A_refusal_is_an_error()
    {
        await using var server = new StubServer(_ => StubServer.Answer(401, "{}"));
        await Assert.ThrowsAsync<HttpRequestException>(() => ReadAsync(new InboxReader(Client(server))));
    }

    private static HttpClient Client(StubServer server) => new() { BaseAddress = server.Url };

    private static async Task<List<(string Id, string Payload, string? DedupId)>> ReadAsync(InboxReader reader)
    {
        var events = new List<(string, string, string?)>();
        await foreach (var e in reader.ReadAsync()) events.Add((e.Id.ToString(), Encoding.UTF8.GetString(e.Payload.Span), e.DedupId));
        return events;
    }

    // Five events, two a page; members that the reader does not need stand between those that it does.
    private static byte[] Page(StubRequest request, List<string> paths)
    {
        var path = request.Head.Split(' ')[1];
        paths.Add(path);
        var cursor = path.Contains("cursor=") ? path[(path.IndexOf("cursor=", StringComparison.Ordinal) + 7)..] : "";
        var rest = path.Contains("desc") ? Ids.Reverse() : Ids.Where(id => string.CompareOrdinal(id, cursor) > 0);
        var rows = rest.Take(2).Select(id => $$"""
            {"type":"t","other":{"id":"no","payload":[1]},"id":"{{id}}","payload":{ "n": 1.00, "at":"{{id}}"},
             "dedup_id":{{(id == Ids[0] ? "null" : $"\"d-{id}\"")}},"attempts":0}
            """);
        var hasMore = rest.Count() > 2 ? "true" : "false";
        return StubServer.Answer(200, $$"""{"count":2,"events":[{{string.Join(',', rows)}}],"next_cursor":null,"has_more":{{hasMore}}}""");
    }
}
