using ZapierTriggers.Core.Events;
using ZapierTriggers.Tests.Unit.Events;

namespace ZapierTriggers.Tests.Fuzz.Targets;

/// <summary>The event parser: agrees with the slow reading over System.Text.Json in verdict and fields, and names a byte of the
/// body.</summary>
internal static class EventTarget
{
    /// <summary>Runs one body.</summary>
    public static void Run(byte[] body)
    {
        var actual = ParsedEvent.Of(body);
        var expected = JsonOracle.Parse(body);
        var error = actual.Error.IsInvalidJson() ? EventParseError.Malformed : actual.Error;

        Finding.Unless(actual.Position >= 0 && actual.Position <= body.Length, $"position {actual.Position} is outside of the body");
        Finding.Unless(expected == actual with { Error = error, Position = 0 }, $"expected {expected}, found {actual}");
    }
}
