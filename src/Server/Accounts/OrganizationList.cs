using System.Globalization;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>
/// Which organizations the administrator asks for: <c>?search=&amp;tier=&amp;status=&amp;limit=&amp;cursor=</c>, newest first. They are all
/// in memory; a page is picked in one walk through them.
/// </summary>
/// <param name="Search">A part of the name or id, or of a key's prefix, in any case of letters; null = any.</param>
/// <param name="Tier">Of this tier; null = any.</param>
/// <param name="Suspended">Suspended or not; null = either.</param>
/// <param name="Limit">At most as many.</param>
/// <param name="After">The last one seen; null = from the newest on.</param>
internal sealed record OrganizationList(string? Search, string? Tier, bool? Suspended, int Limit, (long CreatedAt, Guid Id)? After)
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    /// <summary>Reads the parameters; null with an error when one has a bad value.</summary>
    public static OrganizationList? Read(IQueryCollection query, out FieldError? error)
    {
        var read = new QueryReader(query);
        var search = read.Text("search");
        var tier = read.Text("tier");
        var known = tier is null ? null : Core.Accounts.Tier.Find(tier);
        if (tier is not null && known is null) read.Refuse("tier", $"must be one of {Core.Accounts.Tier.Names}.");
        var status = read.Text("status");
        if (status is not (null or "active" or "suspended")) read.Refuse("status", "must be active or suspended; none = all.");
        var limit = read.Number("limit", 1, MaxLimit, DefaultLimit);
        var after = ReadCursor(read);
        error = read.Error;
        return error is null
            ? new OrganizationList(search, known?.Name, status is null ? null : status == "suspended", limit, after)
            : null;
    }

    /// <summary>A page of them, and whether more follow.</summary>
    public (IReadOnlyList<OrganizationRecord> Page, bool HasMore) Pick(IEnumerable<Organization> all)
    {
        // The oldest of those picked comes out first when there are too many.
        var picked = new PriorityQueue<OrganizationRecord, (long, Guid)>();
        foreach (var organization in all)
        {
            var record = organization.Record;
            if (!Wants(record)) continue;
            picked.Enqueue(record, PlaceOf(record));
            if (picked.Count > Limit + 1) picked.Dequeue();
        }

        var hasMore = picked.Count > Limit;
        if (hasMore) picked.Dequeue();
        var page = new OrganizationRecord[picked.Count];
        for (var i = page.Length - 1; i >= 0; i--) page[i] = picked.Dequeue();
        return (page, hasMore);
    }

    /// <summary>The cursor to go on from this one.</summary>
    public static string CursorOf(OrganizationRecord record) =>
        string.Create(CultureInfo.InvariantCulture, $"{record.CreatedAt.ToUnixTimeMilliseconds()}_{record.Id}");

    private bool Wants(OrganizationRecord record) =>
        (After is not { } after || PlaceOf(record).CompareTo(after) < 0)
        && (Tier is null || record.Tier == Tier)
        && (Suspended is not { } suspended || suspended == record.SuspendedAt is not null)
        && (Search is null || Has(record.Name) || Has(record.Id.ToString()) || Has($"zap_live_{record.Route}") || Has($"zap_test_{record.Route}"));

    private bool Has(string text) => text.Contains(Search!, StringComparison.OrdinalIgnoreCase);

    private static (long, Guid) PlaceOf(OrganizationRecord record) => (record.CreatedAt.ToUnixTimeMilliseconds(), record.Id);

    private static (long, Guid)? ReadCursor(QueryReader read)
    {
        if (read.Text("cursor") is not { } text) return null;
        if (text.Split('_') is [{ Length: <= 15 } time, var id] && !time.AsSpan().ContainsAnyExceptInRange('0', '9')
            && long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && UuidText.TryParse(id, out var value))
            return (milliseconds, value);
        read.Refuse("cursor", "must be the next_cursor of the page before.");
        return null;
    }
}
