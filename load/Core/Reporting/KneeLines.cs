using System.Text.Json;
using ZapierTriggers.Load.Core.Knee;

namespace ZapierTriggers.Load.Core.Reporting;

/// <summary>
/// The figures of a search for the knee for programs, a JSON object a line: <c>{"kind":"run",…}</c>, then <c>{"kind":"step",…}</c> for
/// each step, then <c>{"kind":"audit",…}</c> if there was one. Times are in ms; null is unknown.
/// </summary>
internal static class KneeLines
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Writes the lines.</summary>
    /// <param name="figures">What was found.</param>
    /// <param name="facts">Lines that say what was measured and on what.</param>
    public static string Write(KneeFigures figures, IReadOnlyList<string> facts)
    {
        var lines = new List<string> { Json(new { Kind = "run", figures.Capacity, KneeOffered = figures.Knee?.Offered, Facts = facts }) };
        foreach (var step in figures.Steps)
        {
            var json = JsonSerializer.SerializeToNode(step, Options)!.AsObject();
            json.Insert(0, "kind", "step");
            lines.Add(json.ToJsonString());
        }

        if (figures.Audit is { } audit)
        {
            lines.Add(Json(new
            {
                Kind = "audit",
                audit.Passed,
                audit.Accepted,
                audit.Duplicates,
                audit.Refused,
                audit.Unanswered,
                audit.Stored,
                audit.Operational,
                audit.Deliveries,
            }));
        }

        return string.Concat(lines.Select(line => line + "\n"));
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, Options);
}
