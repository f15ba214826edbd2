using System.Text;
using System.Text.Json;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// What is kept of an erasure for journals that hold unstored events from before it, such as that of a server which has lost its shard
/// (docs/decisions/0014): which events it means, with the value that selects them, which may be personal, as a keyed hash.
/// </summary>
internal sealed class LateErasure
{
    /// <summary>More than servers' clocks differ.</summary>
    private static readonly TimeSpan Clocks = TimeSpan.FromHours(1);

    private readonly ErasureSelection? _selection;
    private readonly HashSet<EventId>? _ids;
    private readonly ValueHash _value;

    private LateErasure(int organizationNo, Guid id, EventId through, ErasureSelection? selection, ValueHash value) =>
        (OrganizationNo, Id, Through, _selection, _ids, _value) =
            (organizationNo, id, through, selection, selection?.EventIds?.ToHashSet(), value);

    /// <summary>Whose.</summary>
    public int OrganizationNo { get; }

    /// <summary>The erasure's id; of an organization that is gone there is none.</summary>
    public Guid Id { get; }

    /// <summary>Later events are not meant, but those that are named by their ids.</summary>
    public EventId Through { get; }

    /// <summary>Whether everything of the organization is meant: nothing is left to count that in.</summary>
    public bool IsOrganization => _selection is null;

    /// <summary>Everything of an organization.</summary>
    public static LateErasure OfOrganization(int organizationNo) =>
        new(organizationNo, Guid.Empty, new EventId(ulong.MaxValue, ulong.MaxValue), selection: null, default);

    /// <summary>Reads <see cref="Write"/>.</summary>
    public static LateErasure Read(int organizationNo, Guid id, EventId through, string text)
    {
        var end = text.IndexOf(' ', StringComparison.Ordinal);
        var hashes = text[..end].Split(',');
        return new LateErasure(
            organizationNo, id, through, ErasureSelection.Read(text[(end + 1)..]), new ValueHash(hashes[0], hashes[1], hashes[2]));
    }

    /// <summary>
    /// As it is stored: three hashes, a space, and the selection without its value; empty for a dry run, and for an organization, whose
    /// number says it all.
    /// </summary>
    public static string Write(Erasure erasure)
    {
        if (erasure.IsDryRun || erasure.Kind != ErasureKind.Events || erasure.Selection.Length == 0) return "";
        var selection = ErasureSelection.Read(erasure.Selection);
        using var wanted = JsonDocument.Parse(selection.EqualTo);
        var value = selection.EventIds is null ? ValueHash.Of(wanted.RootElement, erasure.Id) : null;
        var (written, exact, rounded) = value ?? new ValueHash("", "", "");
        return $"{written},{exact},{rounded} {(selection with { EqualTo = "" }).Write()}";
    }

    /// <summary>As the erasure that the events count for: its end.</summary>
    public Erasure AsErasure() => new()
    {
        OrganizationNo = OrganizationNo,
        Id = Id,
        Kind = ErasureKind.Events,
        Selection = "",
        Through = Through,
        Cursor = new EventId(ulong.MaxValue, ulong.MaxValue),
        RequestedAt = default,
    };

    /// <summary>Whether it means the event.</summary>
    public bool Includes(in JournaledEvent item)
    {
        if (item.OrganizationNo != OrganizationNo) return false;
        if (_selection is not { } selection) return true;
        if (_ids is { } ids) return ids.Contains(item.Id);
        if (item.Id > Through || _value.Written.Length == 0) return false;
        if (selection.From is { } from && item.Id < EventId.LowerBound(from)) return false;
        if (selection.To is { } to && item.Id >= EventId.LowerBound(to)) return false;
        if (selection.Type is { } type && !item.Type.Span.SequenceEqual(Encoding.UTF8.GetBytes(type))) return false;
        return selection.Matches(item.Payload, value => ValueHash.Of(value, Id) is { } hash && hash.IsOfSame(_value));
    }

    /// <summary>
    /// Erasures through ids before this one can mean none of the events, the first of which is the oldest: they were asked for before, by a
    /// clock that may have been behind.
    /// </summary>
    public static EventId EarliestThrough(ReadOnlySpan<JournaledEvent> events) => EventId.LowerBound(events[0].Id.AcceptedAt - Clocks);

    /// <summary>Those of the events that some of the erasures mean; an organization's before others.</summary>
    public static IReadOnlyList<LateErased> Find(ReadOnlyMemory<JournaledEvent> events, IEnumerable<LateErasure> erasures)
    {
        var found = new List<LateErased>();
        var byOrganization = erasures.OrderByDescending(static one => one.IsOrganization).ToLookup(static one => one.OrganizationNo);
        if (byOrganization.Count == 0) return found;
        foreach (ref readonly var item in events.Span)
        {
            foreach (var erasure in byOrganization[item.OrganizationNo])
            {
                if (!erasure.Includes(item)) continue;
                found.Add(new LateErased(item, erasure));
                break;
            }
        }

        return found;
    }
}

/// <summary>An event of a journal that was erased before it could be stored.</summary>
/// <param name="Event">Valid as long as the batch that it is of.</param>
/// <param name="By">What it fell to.</param>
internal readonly record struct LateErased(JournaledEvent Event, LateErasure By);
