namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>What a run knows of where the server's ledger must have its events.</summary>
/// <param name="Accepted">Events answered 202.</param>
/// <param name="Unanswered">Events without an answer, each of which may be there.</param>
/// <param name="Acknowledged">Different events acknowledged, whoever sent them.</param>
/// <param name="Dead">Dead letters that were not acknowledged.</param>
/// <param name="Retrying">Events that are tried again and were not acknowledged.</param>
internal sealed record ExpectedPlaces(long Accepted, long Unanswered, long Acknowledged, long Dead, long Retrying)
{
    /// <summary>In what the ledger differs from it, in words; nothing when it is exact.</summary>
    /// <param name="since">The ledger, without what was there before the run.</param>
    /// <param name="isAlone">
    /// Whether the organization was made for the run: then nothing is delivered. Another one may have endpoints that take our events, or
    /// still had events to deliver.
    /// </param>
    public IEnumerable<string> Differences(ServerLedger since, bool isAlone)
    {
        var ours = since.Accepted - since.Operational;
        if (!since.IsBalanced) yield return "the server's own numbers do not add up";
        if (ours < Accepted || ours > Accepted + Unanswered)
            yield return $"accepted {ours:N0}, not {Accepted:N0}" + (Unanswered > 0 ? $" to {Accepted + Unanswered:N0}" : "");
        if (since.Gone != 0) yield return $"set aside, expired or erased {since.Gone:N0}, not 0";
        if (since.Acknowledged != Acknowledged) yield return $"acknowledged {since.Acknowledged:N0}, not {Acknowledged:N0}";
        if (since.Dead != Dead) yield return $"dead {since.Dead:N0}, not {Dead:N0}";
        if (since.Retrying != Retrying) yield return $"retrying {since.Retrying:N0}, not {Retrying:N0}";
        if (isAlone && since.Delivered != 0) yield return $"delivered {since.Delivered:N0}, not 0";

        // What is left of all that the ledger has, whose number was held against ours above.
        var waiting = since.Accepted - Acknowledged - Dead;
        if (since.Pending + since.Delivered != waiting) yield return $"pending {since.Pending:N0}, not {waiting - since.Delivered:N0}";
    }
}
