namespace ZapierTriggers.Tests.Fuzz.Targets;

/// <summary>Something that reads bytes from outside. It must take any input without an exception, and keep its invariants.</summary>
/// <param name="Name">Its name on the command line and of its corpus folder.</param>
/// <param name="Run">Runs one input; throws <see cref="Finding"/>, or whatever the code under test throws.</param>
/// <param name="Seeds">Inputs to begin with, besides the corpus.</param>
internal sealed record FuzzTarget(string Name, Action<byte[]> Run, Func<IEnumerable<byte[]>> Seeds)
{
    /// <summary>All targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("event", EventTarget.Run, () => []),
        new("frame", FrameTarget.Run, FrameTarget.Seeds),
        new("settings", SettingsTarget.Run, () => []),
        new("texts", TextsTarget.Run, () => []),
    ];
}
