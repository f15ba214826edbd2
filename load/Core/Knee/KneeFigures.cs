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

    /// <summary>Behind the knee the p99 is over this multiple of that of the first step …</summary>
    public const double TailFactor = 5;

    /// <summary>… and over so many milliseconds: less disturbs nobody, whatever the multiple.</summary>
    public const double TailMilliseconds = 10;

    /// <summary>
    /// The last step of those at the start that were all held: everything was accepted, the backlog did not grow and the tail stayed
    /// where it
    /// was. Void steps are passed over: they say nothing. Null if the first valid step is not held, or none is valid.
    /// </summary>
    public KneeStep? Knee
    {
        get
        {
            var valid = Steps.Where(step => step.VoidReason is null).ToList();
            return valid.TakeWhile(step => IsHeld(step, valid[0])).LastOrDefault();
        }
    }

    /// <summary>0 when the audit passed and a step was valid, else 2.</summary>
    public int ExitCode => Audit is { Passed: false } || Steps.All(step => step.VoidReason is not null) ? 2 : 0;

    private static bool IsHeld(KneeStep step, KneeStep first) =>
        step is { Refused: 0, Unanswered: 0, Unsent: 0 }
        && !(step.BacklogSlope > GrowthBar * step.Offered)
        && step.P99 <= Math.Max(TailMilliseconds, TailFactor * first.P99);
}
