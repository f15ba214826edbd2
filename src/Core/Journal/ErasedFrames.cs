namespace ZapierTriggers.Core.Journal;

/// <summary>Which frames are to be erased.</summary>
/// <param name="Includes">Whether an event is among them, by organization and id.</param>
/// <param name="From">None is before that one.</param>
/// <param name="Through">None is after that one.</param>
internal sealed record ErasedFrames(Func<int, EventId, bool> Includes, EventId From, EventId Through)
{
    /// <summary>These events.</summary>
    public static ErasedFrames Of(IReadOnlySet<(int OrganizationNo, EventId Id)> events) =>
        new((no, id) => events.Contains((no, id)), events.Min(static one => one.Id), events.Max(static one => one.Id));

    /// <summary>All of an organization's.</summary>
    public static ErasedFrames OfOrganization(int organizationNo) =>
        new((no, _) => no == organizationNo, default, new EventId(ulong.MaxValue, ulong.MaxValue));

    /// <summary>
    /// Whether some may be in a segment that begins with one event, before the next one that begins with another (zero = none).
    /// </summary>
    public bool MayBeBetween(EventId first, EventId next) => !first.IsZero && Through >= first && (next.IsZero || From < next);
}
