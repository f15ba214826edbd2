namespace ZapierTriggers.Core.Storing;

/// <summary>
/// Lets expired events go with all that hangs on them: outcomes, attempts, retries, acknowledgements, what was set aside. Each removed
/// event is counted in the ledger in the same transaction. Failures are <see cref="StoreException"/>.
/// </summary>
internal interface IRetentionStore
{
    /// <summary>
    /// Removes the organization's oldest events before <paramref name="before"/>, at most <paramref name="limit"/>, in one short
    /// transaction; when none are left, also what hangs on events that are not there any more.
    /// </summary>
    Task<Expired> ExpireAsync(int organizationNo, EventId before, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Removes whole days of all organizations at once, where the store keeps days apart: those that end at or before
    /// <paramref name="before"/>. Returns the events removed; 0 where days are not kept apart.
    /// </summary>
    Task<long> DropDaysAsync(EventId before, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets what is kept of erased events: the hashes of those before <paramref name="hashesBefore"/>, and wholly those that retention
    /// has passed.
    /// </summary>
    Task ForgetErasedAsync(EventId hashesBefore, CancellationToken cancellationToken);
}

/// <summary>What one step of a retention removed.</summary>
/// <param name="Events">Events.</param>
/// <param name="Webhooks">Webhooks that still waited for a try of them.</param>
/// <param name="IsDone">Whether nothing expired is left.</param>
internal readonly record struct Expired(int Events, int Webhooks, bool IsDone);
