using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Core.Usage;

/// <summary>Counts webhooks that were answered with success, by organization and UTC day of the try. Not for concurrent use.</summary>
internal sealed class DeliveredCount
{
    private readonly SortedDictionary<(int OrganizationNo, int Day), long> _sums = [];

    /// <summary>The sums, in the order of their keys so that two recorders cannot deadlock.</summary>
    public IReadOnlyList<UsageSum> Sums =>
        [.. _sums.Select(static pair => new UsageSum(pair.Key.OrganizationNo, pair.Key.Day, UsageKind.Delivered, pair.Value))];

    /// <summary>Counts a success.</summary>
    public void Add(DeliveryResult result)
    {
        var key = (result.OrganizationNo, UsageTime.DayOf(result.Attempt!.At));
        _sums[key] = _sums.GetValueOrDefault(key) + 1;
    }
}
