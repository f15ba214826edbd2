using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// Lets events go that are older than their organization's tier keeps them: whole days first, where the store keeps days apart and nobody
/// is to have them any longer, then what is left, organization by organization, in small steps.
/// </summary>
/// <param name="store">Where they are.</param>
/// <param name="options">How long each tier keeps them.</param>
/// <param name="organizations">All organizations there are.</param>
/// <param name="gone">Told before events of an organization go, up to which.</param>
/// <param name="time">Clock.</param>
/// <param name="usage">Sums of usage, which go after <see cref="UsageDays"/>; null = none are looked after.</param>
internal sealed class Retention(
    IRetentionStore store,
    RetentionOptions options,
    Func<IReadOnlyCollection<Organization>> organizations,
    Action<int, EventId> gone,
    TimeProvider time,
    IUsageStore? usage = null)
{
    /// <summary>For how many days sums of usage are kept: a year that can be compared with the one before.</summary>
    public const int UsageDays = 400;

    /// <summary>
    /// Events in one step: with all that hangs on them some ten milliseconds of a store that has one writer, which storing waits for.
    /// </summary>
    private const int StepSize = 500;

    /// <summary>Rows of usage in one step.</summary>
    private const int UsageStepSize = 2_000;

    private int _usageDay;
    private long _events;
    private long _webhooks;

    /// <summary>Events removed since the start.</summary>
    public long Events => Volatile.Read(ref _events);

    /// <summary>Webhooks since the start that were dropped before they were delivered, since their event expired.</summary>
    public long Webhooks => Volatile.Read(ref _webhooks);

    /// <summary>The id before which the organization's events have expired; null = none ever does.</summary>
    public EventId? CutoffOf(Organization organization) => options.CutoffOf(organization.Record.Tier, time.GetUtcNow());

    /// <summary>Removes all that has expired by now. Throws <see cref="StoreException"/>; what was removed before stays removed.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var cutoffs = organizations().Select(organization => (organization.No, Cutoff: CutoffOf(organization))).ToList();
        foreach (var (no, cutoff) in cutoffs)
        {
            if (cutoff is { } before) gone(no, before);
        }

        if (cutoffs.Count > 0 && cutoffs.All(static pair => pair.Cutoff is not null))
            Interlocked.Add(ref _events, await store.DropDaysAsync(cutoffs.Min(static pair => pair.Cutoff!.Value), cancellationToken));
        foreach (var (no, cutoff) in cutoffs)
        {
            if (cutoff is { } before) await ExpireAsync(no, before, cancellationToken);
        }

        var hashesBefore = EventId.LowerBound(time.GetUtcNow() - TimeSpan.FromMilliseconds(DedupWindow.LengthMs));
        await store.ForgetErasedAsync(hashesBefore, cancellationToken);
        if (usage is not null) await ForgetUsageAsync(usage, cancellationToken);
    }

    /// <summary>Once a day and at the start: to find what is old all rows are read.</summary>
    private async Task ForgetUsageAsync(IUsageStore sums, CancellationToken cancellationToken)
    {
        var today = UsageTime.DayOf(time.GetUtcNow());
        if (today == _usageDay) return;
        while (await sums.ForgetAsync(today - UsageDays, UsageStepSize, cancellationToken))
            cancellationToken.ThrowIfCancellationRequested();
        _usageDay = today;
    }

    private async Task ExpireAsync(int organizationNo, EventId before, CancellationToken cancellationToken)
    {
        Expired step;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            step = await store.ExpireAsync(organizationNo, before, StepSize, cancellationToken);
            Interlocked.Add(ref _events, step.Events);
            Interlocked.Add(ref _webhooks, step.Webhooks);
        }
        while (!step.IsDone);
    }
}
