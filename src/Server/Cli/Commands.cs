using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Configuration;
using ZapierTriggers.Server.Operations;
using ZapierTriggers.Server.Operations.Pages;

namespace ZapierTriggers.Server.Cli;

/// <summary>
/// What the program's first word may be. Settings (<c>--Section:Key value</c>) begin with a dash or hold an equals sign; a word alone is a
/// command.
/// </summary>
internal static class Commands
{
    private static readonly (string Name, string Does)[] All =
    [
        ("config show", "what each setting is and where it was given"),
        (VerifyCommand.Name, "journal, store and ledger against each other; exit code 3 on a difference"),
        (BackupCommand.Name, "a copy of the SQLite database while the server runs"),
        (MoveToPostgresCommand.Name, "from SQLite to PostgreSQL, all tables, compared"),
        (ReplayJournalCommand.Name, "what the database lacks of what the journal still holds; --store stores it"),
        ("settings", "the document of all settings"),
        ("errors", "the catalogue of all errors"),
        ("log-events", "all log entries, with what to do"),
        ("help", "this"),
    ];

    /// <summary>
    /// Runs the command that the arguments name; null where they name none, so that the server is meant. Throws
    /// <see cref="StartupException"/> for a word that is no command: a server started by a slip of the pen would be a surprise.
    /// </summary>
    public static async Task<int?> RunAsync(string[] args, TextWriter output)
    {
        switch (args)
        {
            case ["settings"]:
                return Print(output, SettingsDocument.Markdown());
            case ["errors"]:
                return Print(output, ErrorCatalogue.Markdown());
            case ["log-events"]:
                return Print(output, LogEventsDocument.Markdown());
            case ["help" or "--help" or "-h", ..]:
                return Print(output, Help());
            case ["config", "show", .. var given]:
                ConfigShowCommand.Run(given, output);
                return 0;
            case [ReplayJournalCommand.Name, .. var given]:
                return await ReplayJournalCommand.RunAsync(given, output, CancellationToken.None);
            case [VerifyCommand.Name, .. var given]:
                return await VerifyCommand.RunAsync(given, output, CancellationToken.None);
            case [MoveToPostgresCommand.Name, .. var given]:
                return await MoveToPostgresCommand.RunAsync(given, output, CancellationToken.None);
            case [BackupCommand.Name, .. var given]:
                return BackupCommand.Run(given, output);
            case [var first, ..] when !first.StartsWith('-') && !first.StartsWith('/') && !first.Contains('='):
                throw new StartupException(
                    $"There is no command '{string.Join(' ', args.TakeWhile(IsWord))}'; {Suggest(first)}")
                { ExitCode = 2 };
            default:
                return null;
        }
    }

    private static bool IsWord(string argument) => !argument.StartsWith('-');

    private static int Print(TextWriter output, string text)
    {
        output.Write(text);
        return 0;
    }

    private static string Help()
    {
        var width = All.Max(command => command.Name.Length);
        var commands = All.Select(command => $"  {command.Name.PadRight(width)}  {command.Does}\n");
        return $"Without a command the server starts. Settings: docs/settings.md, e.g. --Ingest:AckWhen synced\n\n{string.Concat(commands)}";
    }

    private static string Suggest(string word)
    {
        var (closest, distance) = All.Select(
            command => (command.Name, Spelling.Distance(word, command.Name.Split(' ')[0]))).MinBy(pair => pair.Item2);
        return distance <= Math.Max(2, word.Length / 3)
            ? $"did you mean {closest}?"
            : $"there are {string.Join(", ", All.Select(command => command.Name))}.";
    }
}
