using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Tests.Unit.Accounts;

public sealed class AuditedCallTests
{
    [Fact]
    public void Entries_of_one_moment_are_in_their_order()
    {
        var at = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var ids = new List<string>();
        for (var i = 0; i < 10_000; i++)
        {
            var call = AuditedCall.Begin("a", at, address: null, "r");
            call.About(0, null);
            ids.Add(AuditedCall.EntryFor(0, "t")!.Id.ToString());
            call.End();
        }

        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.All(ids, id => Assert.Equal('7', id[14]));
    }
}
