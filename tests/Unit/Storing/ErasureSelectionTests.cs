using System.Text;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Storing;

public sealed class ErasureSelectionTests
{
    [Theory]
    [InlineData("""{"user_id":"7"}""", "user_id", "\"7\"", true)]
    [InlineData("""{"user_id":7}""", "user_id", "\"7\"", false)]
    [InlineData("""{"user_id":7.0}""", "user_id", "7", true)]
    [InlineData("""{"user_id":7e0}""", "user_id", "7", true)]
    [InlineData("""{"user_id":12345678901234567890123456789012}""", "user_id", "12345678901234567890123456789012", true)]
    [InlineData("""{"user_id":9007199254740993}""", "user_id", "9007199254740992", false)]
    [InlineData("""{"user":{"id":"\u0061"}}""", "user.id", "\"a\"", true)]
    [InlineData("""{"user":{"id":"A"}}""", "user.id", "\"a\"", false)]
    [InlineData("""{"user":["id"]}""", "user.id", "\"id\"", false)]
    [InlineData("""{"user":{"id":null}}""", "user.id", "null", true)]
    [InlineData("""{"user":{}}""", "user.id", "null", false)]
    [InlineData("""{"user":{"id":true}}""", "user.id", "true", true)]
    [InlineData("""{"user":{"id":false}}""", "user.id", "true", false)]
    [InlineData("""{"user":{"id":{}}}""", "user.id", "null", false)]
    public void A_payload_matches_by_value(string payload, string path, string equal, bool expected)
    {
        var selection = ErasureSelection.Read(new ErasureSelection { Path = path.Split('.'), EqualTo = equal }.Write());

        Assert.Equal(expected, selection.Matches(Encoding.UTF8.GetBytes(payload)));
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var ids = new[] { new EventId(1, 2), new EventId(3, 4) };
        var read = ErasureSelection.Read(new ErasureSelection { EventIds = ids, Type = "t", From = DateTimeOffset.UnixEpoch, To = DateTimeOffset.UnixEpoch.AddDays(1) }.Write());

        Assert.Equal(ids, read.EventIds);
        Assert.Equal(("t", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1)), (read.Type, read.From, read.To));
    }

    [Fact]
    public void Sums_are_by_organization_and_day()
    {
        var count = new LedgerCount();
        foreach (var (no, day) in (ReadOnlySpan<(int, int)>)[(2, 1), (2, 1), (1, 1), (2, 1), (2, 0)])
            count.Add(no, EventId.LowerBound(DateTimeOffset.UnixEpoch.AddDays(day)));

        var (numbers, days, events) = count.Take();

        Assert.Equal([1, 2, 2], numbers);
        Assert.Equal([1, 0, 1], days);
        Assert.Equal([1L, 1, 3], events);
        Assert.Empty(count.Take().Days);
    }
}
