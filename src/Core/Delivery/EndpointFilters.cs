namespace ZapierTriggers.Core.Delivery;

/// <summary>A list of patterns and since when it holds.</summary>
/// <param name="From">It is in force for events with a greater id, until the next list's.</param>
/// <param name="Patterns">The list.</param>
internal sealed record FilterVersion(EventId From, EventTypePatterns Patterns);

/// <summary>
/// All lists of patterns that an endpoint has had, oldest first. An event is matched once, by the list in force when it was accepted; a
/// later change does not change that. No list at all means every type. Immutable.
/// </summary>
internal sealed class EndpointFilters : IEquatable<EndpointFilters>
{
    /// <summary>The most lists that are kept; see <see cref="TryChange"/>.</summary>
    public const int MaxVersions = 100;

    /// <summary>Every type, always.</summary>
    public static readonly EndpointFilters None = new([]);

    /// <summary>Takes lists in the order of their beginnings.</summary>
    public EndpointFilters(IReadOnlyList<FilterVersion> versions) => Versions = [.. versions];

    /// <summary>The lists, oldest first.</summary>
    public IReadOnlyList<FilterVersion> Versions { get; }

    /// <summary>The list in force for new events.</summary>
    public EventTypePatterns Current => Versions.Count == 0 ? EventTypePatterns.All : Versions[^1].Patterns;

    /// <summary>The list in force at an event's id. Before the first one that is known, that one.</summary>
    public EventTypePatterns At(EventId id)
    {
        for (var i = Versions.Count - 1; i > 0; i--)
        {
            if (Versions[i].From < id) return Versions[i].Patterns;
        }

        return Versions.Count == 0 ? EventTypePatterns.All : Versions[0].Patterns;
    }

    /// <summary>The list in force for the events that follow this id, and the last id that it holds for; null = for all to come.</summary>
    public (EventTypePatterns Patterns, EventId? Through) After(EventId id)
    {
        for (var i = Versions.Count - 1; i > 0; i--)
        {
            if (Versions[i].From <= id) return (Versions[i].Patterns, i + 1 < Versions.Count ? Versions[i + 1].From : null);
        }

        return Versions.Count == 0 ? (EventTypePatterns.All, null) : (Versions[0].Patterns, Versions.Count > 1 ? Versions[1].From : null);
    }

    /// <summary>
    /// The lists with another one for the events after <paramref name="from"/>, which must not be before the last change. When there are
    /// too many, those that only events up to <paramref name="cursor"/> came under are forgotten; null when none can be.
    /// </summary>
    /// <param name="patterns">The new list.</param>
    /// <param name="from">The last id of the old one.</param>
    /// <param name="startsAfter">Where the endpoint's lane begins.</param>
    /// <param name="cursor">Up to where the lane is done.</param>
    public EndpointFilters? TryChange(EventTypePatterns patterns, EventId from, EventId startsAfter, EventId cursor)
    {
        if (patterns.Equals(Current)) return this;
        // What was in force before the first change must stay known.
        List<FilterVersion> changed = Versions.Count == 0 ? [new FilterVersion(startsAfter, EventTypePatterns.All)] : [.. Versions];
        // No event came under a list that was changed at once.
        if (changed[^1].From >= from) changed.RemoveAt(changed.Count - 1);
        changed.Add(new FilterVersion(changed.Count == 0 ? startsAfter : from, patterns));
        while (changed.Count > MaxVersions && changed[1].From <= cursor) changed.RemoveAt(0);
        return changed.Count > MaxVersions ? null : new EndpointFilters(changed);
    }

    /// <inheritdoc/>
    public bool Equals(EndpointFilters? other) => other is not null && Versions.SequenceEqual(other.Versions);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EndpointFilters);

    /// <inheritdoc/>
    public override int GetHashCode() => Versions.Count == 0 ? 0 : Versions[^1].GetHashCode();
}
