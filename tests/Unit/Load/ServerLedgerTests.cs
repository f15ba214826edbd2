using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>What a server says of where events are, as a run reads it.</summary>
public sealed class ServerLedgerTests
{
    [Fact]
    public async Task It_is_read_with_what_the_server_itself_has_told()
    {
        await using var server = new StubServer(request => Answer(request, told: 1));
        using var client = new HttpClient { BaseAddress = server.Url };

        var ledger = await ServerLedger.ReadWithOperationalAsync(client, TestContext.Current.CancellationToken);

        Assert.Equal(new ServerLedger(100, 40, 3, 30, 15, 5, 10, IsBalanced: true) { Operational = 8 }, ledger);
    }

    [Fact]
    public async Task What_is_told_while_it_is_read_makes_it_read_again()
    {
        // Eight types are asked before the ledger: the first counting finds none, those after it one of each.
        var asked = 0;
        var ledgers = 0;
        await using var server = new StubServer(request =>
        {
            if (request.Head.StartsWith("GET /api/ledger", StringComparison.Ordinal)) ledgers++;
            else asked++;
            return Answer(request, told: asked > OwnEvents.Types.Count() ? 1 : 0);
        });
        using var client = new HttpClient { BaseAddress = server.Url };

        var ledger = await ServerLedger.ReadWithOperationalAsync(client, TestContext.Current.CancellationToken);

        Assert.Equal((8L, 2), (ledger.Operational, ledgers));
    }

    [Fact]
    public void What_has_come_since_is_the_difference()
    {
        var before = new ServerLedger(100, 40, 3, 30, 15, 5, 10, IsBalanced: false) { Operational = 8 };
        var after = new ServerLedger(110, 43, 4, 33, 17, 6, 11, IsBalanced: true) { Operational = 9 };

        Assert.Equal(new ServerLedger(10, 3, 1, 3, 2, 1, 1, IsBalanced: true) { Operational = 1 }, after.Since(before));
    }

    private static byte[] Answer(StubRequest request, int told) => request.Head.StartsWith("GET /api/ledger", StringComparison.Ordinal)
        ? StubServer.Answer(200, """
            {"accepted":100,"pending":40,"retrying":3,"delivered":30,"acknowledged":15,"dead":5,
             "set_aside":1,"expired":2,"erased":7,"balanced":true}
            """)
        : StubServer.Answer(200, $"{{\"events\":[],\"total\":{told}}}");
}
