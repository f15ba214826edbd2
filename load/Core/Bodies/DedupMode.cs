using System.Globalization;

namespace ZapierTriggers.Load.Core.Bodies;

/// <summary>Whether events carry a dedup id, and which share of the requests repeats an earlier one.</summary>
/// <param name="HasIds">Whether a <c>dedup_id</c> is sent.</param>
/// <param name="DuplicateShare">The share of requests that repeat an earlier request byte for byte, 0 to 1.</param>
internal readonly record struct DedupMode(bool HasIds, double DuplicateShare)
{
    /// <summary>No dedup id.</summary>
    public static readonly DedupMode None = new(false, 0);

    /// <summary>Every request has a dedup id of its own.</summary>
    public static readonly DedupMode Unique = new(true, 0);

    /// <summary>Reads <c>none</c>, <c>unique</c> or <c>dup:5%</c>.</summary>
    /// <exception cref="FormatException">It is none of these.</exception>
    public static DedupMode Parse(string text) => text switch
    {
        "none" => None,
        "unique" => Unique,
        _ when text.StartsWith("dup:", StringComparison.Ordinal) && text.EndsWith('%')
            && double.TryParse(text.AsSpan(4, text.Length - 5), CultureInfo.InvariantCulture, out var percent)
            && percent is >= 0 and < 100 => new DedupMode(true, percent / 100),
        _ => throw new FormatException($"'{text}' is no dedup mode; use none, unique or dup:5%."),
    };
}
