namespace ZapierTriggers.Server.Configuration;

/// <summary>One setting as documented: what <c>docs/settings.md</c> says about it.</summary>
/// <param name="Key"><c>Section:Name</c>; as an environment variable <c>Section__Name</c>.</param>
/// <param name="Alias">Another name it is known by, or null.</param>
/// <param name="Default">The value when nothing is given, as text; empty = none.</param>
/// <param name="Allowed">What is allowed, in words.</param>
/// <param name="Description">One line: what it does.</param>
internal sealed record Setting(string Key, string? Alias, string Default, string Allowed, string Description)
{
    /// <summary>Whether a change in a settings file counts without a restart.</summary>
    public bool IsReloaded { get; init; }
}

/// <summary>What a setting is, and who says so.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its value as text, a secret's masked; empty = none.</param>
/// <param name="Source">Where it was given: <c>default</c>, a file, <c>environment</c>, <c>command line</c>.</param>
internal sealed record EffectiveSetting(string Key, string Value, string Source);
