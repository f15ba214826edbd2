namespace ZapierTriggers.Server.Configuration;

/// <summary>How far apart two names are, for "did you mean".</summary>
internal static class Spelling
{
    /// <summary>
    /// The number of letters to insert, remove or replace to make one of the other (Levenshtein 1966), whatever their case.
    /// </summary>
    public static int Distance(string left, string right)
    {
        // One row of the table at a time: row[j] is the distance of the letters of left read so far to the first j of right.
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 0; i < left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i + 1;
            for (var j = 0; j < right.Length; j++)
            {
                var replaced = diagonal + (char.ToUpperInvariant(left[i]) == char.ToUpperInvariant(right[j]) ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(replaced, Math.Min(row[j], row[j + 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
