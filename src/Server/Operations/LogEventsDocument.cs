using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Text;
using ZapierTriggers.Core.Operations;

namespace ZapierTriggers.Server.Operations;

/// <summary>An entry that the server can log.</summary>
/// <param name="Id">Its id in <see cref="LogEvents"/>.</param>
/// <param name="Name">The constant's name: the class that logs it and what for.</param>
/// <param name="Level">Its level.</param>
/// <param name="Message">Its message, with the names of its values in braces.</param>
/// <param name="Remedy">What to do about it; null where nothing is to be done.</param>
internal sealed record LogEntry(int Id, string Name, LogLevel Level, string Message, string? Remedy);

/// <summary>Makes <c>docs/log-events.md</c> from the entries themselves; a test compares the two.</summary>
internal static class LogEventsDocument
{
    private const string Introduction = """
        # Log entries

        This page is made from the program: `dotnet run --project src/Server -- log-events` prints it.

        Each entry of ours has an id, which is never used for another meaning; the framework's have ids of their own under other categories.
        What stands in braces is a value, and a field of its own in the JSON form.

        | id | level | name | message | what to do |
        |---|---|---|---|---|

        """;

    /// <summary>All entries, by id.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "A page of the documentation, made where nothing is trimmed.")]
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "The same.")]
    public static IReadOnlyList<LogEntry> Entries()
    {
        var table = typeof(LogEvents).GetFields().ToDictionary(static field => (int)field.GetRawConstantValue()!);
        const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        return
        [
            .. new[] { typeof(LogEvents).Assembly, typeof(LogEventsDocument).Assembly }
                .SelectMany(static assembly => assembly.GetTypes())
                .SelectMany(static type => type.GetMethods(Any | BindingFlags.DeclaredOnly))
                .Select(static method => method.GetCustomAttribute<LoggerMessageAttribute>())
                .OfType<LoggerMessageAttribute>()
                .Select(entry => EntryOf(entry, table[entry.EventId]))
                .OrderBy(static entry => entry.Id),
        ];
    }

    /// <summary>The page as Markdown.</summary>
    public static string Markdown()
    {
        var page = new StringBuilder(Introduction);
        foreach (var one in Entries())
            page.Append(CultureInfo.InvariantCulture, $"| {one.Id} | {one.Level} | {one.Name} | {one.Message} | {one.Remedy} |\n");
        return page.ToString();
    }

    private static LogEntry EntryOf(LoggerMessageAttribute entry, FieldInfo field) =>
        new(entry.EventId, field.Name, entry.Level, entry.Message, field.GetCustomAttribute<RemedyAttribute>()?.Text);
}
