namespace ZapierTriggers.Server.Storage;

/// <summary>Those columns of an erasure that both stores keep as text.</summary>
internal static class ErasureColumns
{
    /// <summary>Ids, separated by spaces.</summary>
    public static string Encode(IEnumerable<EventId> ids) => string.Join(' ', ids);

    /// <summary>Reads <see cref="Encode"/>.</summary>
    public static IReadOnlyList<EventId> Decode(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static one => EventId.TryParse(one, out var id) ? id : default)];
}
