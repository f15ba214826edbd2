using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Primitives;
using ZapierTriggers.Core.Limits;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// The rate limit's headers: <c>RateLimit-Policy: "events";q=100;w=60</c> and <c>RateLimit: "events";r=50;t=30</c>
/// (draft-ietf-httpapi-ratelimit-headers-10), and the older <c>X-RateLimit-*</c> on a refusal. Where there is no limit nothing is
/// written.
/// </summary>
internal static class RateLimitHeaders
{
    private const string RemainingPart = "\"events\";r=";
    private const string ResetPart = ";t=";

    // One string per distinct limit: as many as organizations with a limit of their own, at the most.
    private static readonly ConcurrentDictionary<int, StringValues> Policies = new();

    /// <summary>Writes the two headers that every authenticated event answer has.</summary>
    public static void Write(IHeaderDictionary headers, in RateDecision decision)
    {
        if (!decision.HasLimit) return;
        headers["RateLimit-Policy"] = PolicyOf(decision.Limit);
        headers["RateLimit"] = Format(decision.Remaining, decision.ResetSeconds);
    }

    /// <summary>
    /// Adds the older headers to a 429; Reset is the Unix second at which there is room again. (Retry-After comes with the problem.)
    /// </summary>
    public static void WriteRefused(IHeaderDictionary headers, in RateDecision decision, DateTimeOffset now)
    {
        var reset = now.ToUnixTimeSeconds() + decision.ResetSeconds;
        headers["X-RateLimit-Limit"] = decision.Limit.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Remaining"] = decision.Remaining.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Reset"] = reset.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Answers 429 with all of the headers. <paramref name="what"/> is what was counted, for example <c>events</c>.</summary>
    public static Task AnswerRefusedAsync(HttpContext context, in RateDecision decision, string what, DateTimeOffset now)
    {
        WriteRefused(context.Response.Headers, decision, now);
        return Answers.ProblemAsync(
            context,
            Problem.RateLimited,
            $"At most {decision.Limit} {what} in any {RateWindow.Seconds} seconds; wait {decision.ResetSeconds} s and send it again.",
            ("retry_after_seconds", decision.ResetSeconds),
            ("limit", decision.Limit),
            ("window", RateWindow.Seconds));
    }

    private static StringValues PolicyOf(int limit) =>
        Policies.TryGetValue(limit, out var policy)
            ? policy
            : Policies.GetOrAdd(limit, static q => $"\"events\";q={q};w={RateWindow.Seconds}");

    /// <summary>One exact allocation: this runs for each event.</summary>
    private static string Format(int remaining, int reset)
    {
        Span<char> text = stackalloc char[RemainingPart.Length + 10 + ResetPart.Length + 10];
        RemainingPart.CopyTo(text);
        var length = RemainingPart.Length;
        remaining.TryFormat(text[length..], out var written, default, CultureInfo.InvariantCulture);
        length += written;
        ResetPart.CopyTo(text[length..]);
        length += ResetPart.Length;
        reset.TryFormat(text[length..], out written, default, CultureInfo.InvariantCulture);
        return new string(text[..(length + written)]);
    }
}
