namespace ZapierTriggers.Server.Configuration;

/// <summary>One setting as documented: what <c>docs/settings.md</c> says about it.</summary>
/// <param name="Key"><c>Section:Name</c>; as an environment variable <c>Section__Name</c>.</param>
/// <param name="Alias">Another name it is known by, or null.</param>
/// <param name="Default">The value when nothing is given, as text; empty = none.</param>
/// <param name="Allowed">What is allowed, in words.</param>
/// <param name="Description">One line: what it does.</param>
internal sealed record Setting(string Key, string? Alias, string Default, string Allowed, string Description);
