using System.Globalization;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Ingest;

/// <summary>What is said to events past the monthly quota.</summary>
internal static class QuotaAnswers
{
    /// <summary>429, until the UTC month ends.</summary>
    public static Task RefusedAsync(HttpContext context, in QuotaState state, DateTimeOffset now) => Answers.ProblemAsync(
        context,
        Problem.QuotaExceeded,
        Text(state),
        ("retry_after_seconds", (long)Math.Ceiling((state.ResetsAt - now).TotalSeconds)),
        ("limit", state.Limit ?? 0),
        ("window", "month"));

    /// <summary>The same in words, for an item of a batch.</summary>
    public static string Text(in QuotaState state) => string.Create(
        CultureInfo.InvariantCulture,
        $"At most {state.Limit} events in a calendar month (UTC); send it again from {state.ResetsAt.UtcDateTime:yyyy-MM-dd} on, or ask for a larger quota.");
}
