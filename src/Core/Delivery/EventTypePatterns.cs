namespace ZapierTriggers.Core.Delivery;

/// <summary>
/// The event types that an endpoint wants: each pattern is <c>*</c> (all), a prefix such as <c>user.*</c> (every type that starts with
/// <c>user.</c>), or one exact type. Compared by code unit. Immutable; two lists are equal when their patterns are.
/// </summary>
internal sealed class EventTypePatterns : IEquatable<EventTypePatterns>
{
    /// <summary>The most patterns in a list.</summary>
    public const int MaxCount = 50;

    /// <summary>The most characters of a pattern.</summary>
    public const int MaxLength = 255;

    /// <summary>The list that matches everything.</summary>
    public static readonly EventTypePatterns All = new(["*"]);

    private const string Any = "*";
    private const string AnyRest = ".*";

    /// <summary>Takes patterns that <see cref="IsPattern"/> holds for.</summary>
    public EventTypePatterns(IReadOnlyList<string> texts)
    {
        Texts = [.. texts];
        MatchesAll = texts.Contains(Any, StringComparer.Ordinal);
        Exact = [.. texts.Where(static text => !text.EndsWith('*'))];
        Prefixes = [.. texts.Where(static text => text.EndsWith(AnyRest, StringComparison.Ordinal)).Select(static text => text[..^1])];
    }

    /// <summary>The patterns as they were given.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>Whether every type matches.</summary>
    public bool MatchesAll { get; }

    /// <summary>Types that match as they are.</summary>
    public string[] Exact { get; }

    /// <summary>Beginnings of types that match, each with its final dot.</summary>
    public string[] Prefixes { get; }

    /// <summary>Whether the text is a pattern: <c>*</c> stands alone or as the last segment, and nowhere else.</summary>
    public static bool IsPattern(string text)
    {
        if (text.Length == 0 || text.EnumerateRunes().Count() > MaxLength || text.Any(char.IsControl)) return false;
        if (text == Any) return true;
        var name = text.EndsWith(AnyRest, StringComparison.Ordinal) ? text.AsSpan(0, text.Length - AnyRest.Length) : text;
        return !name.IsEmpty && !name.Contains('*');
    }

    /// <summary>Whether the type matches one of them.</summary>
    public bool Matches(string type) => MatchesAll || Find(type) is not null;

    /// <summary>The first pattern that matches; null when none does.</summary>
    public string? Find(string type)
    {
        foreach (var text in Texts)
        {
            var isPrefix = text.EndsWith(AnyRest, StringComparison.Ordinal);
            if (text == Any || (isPrefix ? type.AsSpan().StartsWith(text.AsSpan(0, text.Length - 1)) : type == text)) return text;
        }

        return null;
    }

    /// <inheritdoc/>
    public bool Equals(EventTypePatterns? other) => other is not null && Texts.SequenceEqual(other.Texts, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EventTypePatterns);

    /// <inheritdoc/>
    public override int GetHashCode() => Texts.Aggregate(0, static (hash, text) => HashCode.Combine(hash, text));

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", Texts);
}
