using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Tests.Unit.Delivery;

/// <summary>Who gets how many of the places for tries.</summary>
public sealed class PlaceSharesTests
{
    private static readonly DeliveryOptions Options = new();

    [Theory]
    [InlineData(LaneStanding.Answers, 192)]
    [InlineData(LaneStanding.Unknown, 192)]
    [InlineData(LaneStanding.Fails, 128)]
    [InlineData(LaneStanding.Slow, 512)]
    public void One_organization_gets_a_part_only(object standing, int most)
    {
        var shares = new PlaceShares(Options);

        Assert.Equal(most, TakeAll(shares, 1, (LaneStanding)standing));
        Assert.True(Take(shares, 2, LaneStanding.Answers));
        Assert.True(Take(shares, 3, LaneStanding.Slow));
    }

    [Fact]
    public void Whatever_many_organizations_take_something_is_left_for_those_that_answer()
    {
        var shares = new PlaceShares(Options);
        for (var no = 0; no < 5_000; no++)
        {
            foreach (var standing in Enum.GetValues<LaneStanding>().Where(static standing => standing != LaneStanding.Answers))
                TakeAll(shares, no, standing);
        }

        Assert.True(TakeAll(shares, 9_999, LaneStanding.Answers) > 30);
        Assert.InRange(shares.InUse, Options.MaxSlowInFlight, Options.MaxInFlight + Options.MaxSlowInFlight);
    }

    [Fact]
    public void What_fifty_organizations_hold_that_hang_leaves_room_for_one_that_is_new()
    {
        var shares = new PlaceShares(Options);
        var held = 0;
        for (var round = 0; round < 50; round++)
        {
            for (var no = 1; no <= 50; no++)
            {
                if (!Take(shares, no, LaneStanding.Unknown)) continue;
                shares.Return(no, LaneStanding.Unknown);
                shares.Take(no, LaneStanding.Slow);
                held++;
            }
        }

        Assert.InRange(held, 900, Options.MaxSlowInFlight - 1);
        Assert.True(Take(shares, 51, LaneStanding.Unknown));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(8, 3)]
    public void With_few_places_there_is_one_for_everybody_in_turn(int most, int mostSlow)
    {
        var shares = new PlaceShares(Options with { MaxInFlight = most, MaxSlowInFlight = mostSlow });

        foreach (var standing in Enum.GetValues<LaneStanding>().Where(standing => standing != LaneStanding.Slow || mostSlow > 0))
        {
            Assert.True(Take(shares, 1, standing));
            shares.Return(1, standing);
        }

        Assert.Equal(0, shares.InUse);
    }

    private static int TakeAll(PlaceShares shares, int no, LaneStanding standing)
    {
        var count = 0;
        while (Take(shares, no, standing)) count++;
        return count;
    }

    private static bool Take(PlaceShares shares, int no, LaneStanding standing)
    {
        if (!shares.HasRoom(standing) || !shares.MayTake(no, standing)) return false;
        shares.Take(no, standing);
        return true;
    }
}
