using System.Text.Json;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>Reads the field <c>headers</c> of an endpoint.</summary>
internal static class HeaderFields
{
    /// <summary>The headers; null with the problem in words, which follows the field's name.</summary>
    /// <param name="value">What was sent.</param>
    /// <param name="takesMasks">Whether there may be a value that a mask stands for.</param>
    /// <param name="problem">Why they cannot be taken.</param>
    public static IReadOnlyList<EndpointHeader>? Read(JsonElement value, bool takesMasks, out string? problem)
    {
        problem = """must be an object of strings such as {"Authorization": "Bearer …"}, or null for none.""";
        if (value.ValueKind == JsonValueKind.Null) return [];
        if (value.ValueKind != JsonValueKind.Object) return null;
        if (value.EnumerateObject().Any(static one => one.Value.ValueKind != JsonValueKind.String)) return null;
        EndpointHeader[] headers = [.. value.EnumerateObject().Select(static one => new EndpointHeader(one.Name, one.Value.GetString()!))];
        problem = Check(headers, takesMasks);
        return problem is null ? headers : null;
    }

    /// <summary>A mask that was shown and comes back stands for the value that it hides.</summary>
    public static EqualList<EndpointHeader> Unmask(IReadOnlyList<EndpointHeader> sent, IReadOnlyList<EndpointHeader> known) =>
        new(sent.Select(one => one.Value == EndpointHeader.Mask ? known.FirstOrDefault(old => IsSame(old, one)) ?? one : one).ToArray());

    private static string? Check(EndpointHeader[] headers, bool takesMasks)
    {
        if (headers.Length > EndpointHeader.MaxCount
            || headers.Sum(static one => one.Name.Length + one.Value.Length) > EndpointHeader.MaxBytes)
            return $"must be at most {EndpointHeader.MaxCount}, with names and values of at most {EndpointHeader.MaxBytes} bytes together.";
        var problem = headers.Select(static one => EndpointHeader.Check(one.Name, one.Value)).FirstOrDefault(static one => one is not null);
        if (problem is not null) return $"cannot be taken: {problem}";
        if (headers.DistinctBy(static one => one.Name, StringComparer.OrdinalIgnoreCase).Count() < headers.Length)
            return "must not have the same name twice, in whatever case of letters.";
        return !takesMasks && headers.Any(static one => one.Value == EndpointHeader.Mask)
            ? "must have their real values; one of them is a mask."
            : null;
    }

    private static bool IsSame(EndpointHeader one, EndpointHeader other) =>
        string.Equals(one.Name, other.Name, StringComparison.OrdinalIgnoreCase);
}
