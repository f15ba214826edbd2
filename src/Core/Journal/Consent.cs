using System.Globalization;

namespace ZapierTriggers.Core.Journal;

/// <summary>
/// An operator's word that the server may go on without certain events: an empty file in the journal's directory, named by the sequence at
/// which they begin.
/// </summary>
internal static class Consent
{
    /// <summary>Path of the file for events that are missing from this sequence on.</summary>
    public static string PathOf(string journal, long from) =>
        Path.Combine(journal, string.Create(CultureInfo.InvariantCulture, $"{from:x16}.lost"));
}
