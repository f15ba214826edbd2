using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Delivery;

public sealed class EndpointFiltersTests
{
    private static readonly EventTypePatterns A = new(["a"]);
    private static readonly EventTypePatterns B = new(["b"]);

    [Fact]
    public void Without_lists_every_type_matches() =>
        Assert.Equal((EventTypePatterns.All, EventTypePatterns.All, (EventTypePatterns.All, (EventId?)null)),
            (EndpointFilters.None.Current, EndpointFilters.None.At(Id(5)), EndpointFilters.None.After(Id(5))));

    [Fact]
    public void Each_event_is_under_the_list_of_its_acceptance()
    {
        var filters = EndpointFilters.None.TryChange(A, Id(10), Id(1), Id(1))!.TryChange(B, Id(20), Id(1), Id(1))!;

        Assert.Equal([EventTypePatterns.All, EventTypePatterns.All, A, A, B], new[] { 2, 10, 11, 20, 21 }.Select(id => filters.At(Id(id))));
        Assert.Equal((EventTypePatterns.All, Id(10)), filters.After(Id(1)));
        Assert.Equal((EventTypePatterns.All, Id(10)), filters.After(Id(9)));
        Assert.Equal((A, Id(20)), filters.After(Id(10)));
        Assert.Equal((B, (EventId?)null), filters.After(Id(20)));
        Assert.Equal(B, filters.Current);
    }

    [Fact]
    public void A_change_back_at_once_leaves_one_list()
    {
        var filters = EndpointFilters.None.TryChange(A, Id(10), Id(1), Id(1))!;

        Assert.Same(filters, filters.TryChange(new EventTypePatterns(["a"]), Id(12), Id(1), Id(1)));
        Assert.Equal([Id(1), Id(10)], filters.TryChange(B, Id(10), Id(1), Id(1))!.Versions.Select(version => version.From));
        Assert.Equal([new FilterVersion(Id(1), B)], EndpointFilters.None.TryChange(B, Id(1), Id(1), Id(1))!.Versions);
    }

    [Fact]
    public void Too_many_lists_are_refused_unless_old_ones_are_done_with()
    {
        var filters = EndpointFilters.None;
        for (var i = 1; i < EndpointFilters.MaxVersions; i++) filters = filters.TryChange(i % 2 == 0 ? A : B, Id(i), default, default)!;

        Assert.Equal(EndpointFilters.MaxVersions, filters.Versions.Count);
        Assert.Null(filters.TryChange(A, Id(1000), default, cursor: default));
        var changed = filters.TryChange(A, Id(1000), default, cursor: Id(50))!;
        Assert.Equal(EndpointFilters.MaxVersions, changed.Versions.Count);
        Assert.Equal(filters.After(Id(50)), changed.After(Id(50)));
        Assert.Equal(A, changed.Current);
    }

    private static EventId Id(int number) => new((ulong)number, 0);
}
