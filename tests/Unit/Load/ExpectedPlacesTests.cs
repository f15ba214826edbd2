using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Tests.Unit.Load;

/// <summary>
/// The exact ledger: 100 events answered 202 and 8 that the server has told; of these 30 acknowledged, 5 dead, 7 tried again. Each test
/// breaks one thing and sees exactly that.
/// </summary>
public sealed class ExpectedPlacesTests
{
    private static readonly ExpectedPlaces Expected = new(Accepted: 100, Unanswered: 0, Acknowledged: 30, Dead: 5, Retrying: 7);

    private static readonly ServerLedger Exact = new(
        Accepted: 108, Pending: 73, Retrying: 7, Delivered: 0, Acknowledged: 30, Dead: 5, Gone: 0, IsBalanced: true)
    { Operational = 8 };

    [Fact]
    public void An_exact_ledger_has_no_differences() => AssertFound(Exact);

    [Fact]
    public void An_event_too_few_or_too_many_is_found()
    {
        AssertFound(Exact with { Accepted = 107, Pending = 72 }, "accepted 99, not 100");
        AssertFound(Exact with { Accepted = 109, Pending = 74 }, "accepted 101, not 100");
        AssertFound(Exact with { Operational = 7 }, "accepted 101, not 100");
    }

    [Fact]
    public void Events_without_an_answer_may_be_there()
    {
        var expected = Expected with { Unanswered = 2 };

        Assert.Empty(expected.Differences(Exact with { Accepted = 110, Pending = 75 }, isAlone: true));
        Assert.Equal(["accepted 103, not 100 to 102"], expected.Differences(Exact with { Accepted = 111, Pending = 76 }, isAlone: true));
        Assert.Equal(["accepted 99, not 100 to 102"], expected.Differences(Exact with { Accepted = 107, Pending = 72 }, isAlone: true));
    }

    [Fact]
    public void Each_place_is_held_against_what_is_known()
    {
        AssertFound(Exact with { Acknowledged = 29, Pending = 74 }, "acknowledged 29, not 30", "pending 74, not 73");
        AssertFound(Exact with { Dead = 6, Pending = 72 }, "dead 6, not 5", "pending 72, not 73");
        AssertFound(Exact with { Retrying = 6 }, "retrying 6, not 7");
        AssertFound(Exact with { Pending = 72 }, "pending 72, not 73");
        AssertFound(Exact with { Gone = 1, Pending = 72 }, "set aside, expired or erased 1, not 0", "pending 72, not 73");
        AssertFound(Exact with { IsBalanced = false }, "the server's own numbers do not add up");
    }

    [Fact]
    public void Only_an_organization_that_is_not_the_runs_own_may_have_deliveries()
    {
        var delivered = Exact with { Delivered = 3, Pending = 70 };

        AssertFound(delivered, "delivered 3, not 0");
        Assert.Empty(Expected.Differences(delivered, isAlone: false));
        Assert.Equal(["pending 71, not 70"], Expected.Differences(delivered with { Pending = 71 }, isAlone: false));
    }

    private static void AssertFound(ServerLedger since, params string[] differences) =>
        Assert.Equal(differences, Expected.Differences(since, isAlone: true));
}
