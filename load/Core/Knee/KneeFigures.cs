using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Knee;

/// <summary>What a search for the knee found.</summary>
/// <param name="Capacity">Events a second, closed loop, or as given.</param>
/// <param name="Steps">The steps in their order.</param>
/// <param name="Audit">What is stored and delivered against what was answered; null if it was not asked for.</param>
internal sealed record KneeFigures(double Capacity, IReadOnlyList<KneeStep> Steps, AuditReport? Audit)
{
    /// <summary>A backlog that grows by more than this share of the rate never ends: the rate cannot be kept up.</summary>
    public const double GrowthBar = 0.05;

    /// <summary>Behind the knee the p99 is over this multiple of the lowest of all steps …</summary>
    public const double TailFactor = 5;

    /// <summary>… and over so many milliseconds: less disturbs nobody, whatever the multiple.</summary>
    public const double TailMilliseconds = 10;

    /// <summary>
    /// The highest step that was held: everything was accepted, the backlog did not grow and the tail stayed low. One below it that was not
    /// held was disturbed by something else than load. Void steps say nothing. Null if no valid step was held.
    /// </summary>
    public KneeStep? Knee
    {
        get
        {
            var valid = Steps.Where(step => step.VoidReason is null).ToList();
            var bar = Math.Max(TailMilliseconds, TailFactor * valid.Select(step => step.P99).DefaultIfEmpty().Min());
            return valid.LastOrDefault(step => IsHeld(step, bar));
        }
    }

    /// <summary>0 when the audit passed and a step was valid, else 2.</summary>
    public int ExitCode => Audit is { Passed: false } || Steps.All(step => step.VoidReason is not null) ? 2 : 0;

    private static bool IsHeld(KneeStep step, double tailBar) =>
        step is { Refused: 0, Unanswered: 0, Unsent: 0 }
        && !(step.BacklogSlope > GrowthBar * step.Offered)
        && step.P99 <= tailBar;
}
