using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Server.Configuration;

namespace ZapierTriggers.Server.Operations;

/// <summary>
/// What a starting server tells the person in front of it, in at most 16 lines: where it is, what it keeps, and two commands to paste.
/// </summary>
/// <param name="settings">The settings it runs with.</param>
/// <param name="token">The admin token; shown only when it was made just now.</param>
/// <param name="dataDirectory">Full path of the data directory.</param>
/// <param name="store">The store in words, without secrets.</param>
internal sealed class Banner(ServerSettings settings, AdminToken token, string dataDirectory, string store)
{
    private const string Bold = "\e[1m";
    private const string Dim = "\e[2m";
    private const string Plain = "\e[0m";
    private const string Json = "-H 'Content-Type: application/json'";

    /// <summary>
    /// Writes the lines. <paramref name="addresses"/> are those actually bound; <paramref name="ansi"/> is for terminals.
    /// </summary>
    public void Write(TextWriter output, IEnumerable<string> addresses, bool ansi)
    {
        var bound = addresses.ToList();
        output.WriteLine();
        output.WriteLine(Styled($"Zapier Triggers {Build.Version}", Bold, ansi));
        WriteFact("address", string.Join("  ", bound));
        WriteFact("store", store);
        WriteFact("data", dataDirectory);
        WriteFact("durability", Durability());
        if (token.IsNew)
        {
            WriteFact("admin token", Styled(token.Value, Bold, ansi));
            WriteFact("", $"shown only now; kept in {token.File}");
        }

        var address = bound.Count == 0 ? settings.Http.Addresses[0] : Reachable(bound[0]);
        output.WriteLine();
        output.WriteLine(Styled("Make a key, then send an event with it:", Dim, ansi));
        output.WriteLine($"  curl -X POST {address}/api/keys/generate {Authorization()}{Json} -d '{{\"organization_name\":\"Acme\"}}'");
        output.WriteLine($"  curl -X POST {address}/api/events -H \"X-API-Key: $KEY\" {Json} -d '{{\"type\":\"user.created\",\"payload\":{{\"user_id\":\"1\"}}}}'");
        output.WriteLine(Styled("Ctrl-C stops the server; nothing accepted is lost.", Dim, ansi));
        output.WriteLine();

        void WriteFact(string name, string value) => output.WriteLine($"  {Styled(name.PadRight(12), Dim, ansi)}{value}");
    }

    private string Durability() => settings.Ingest.AckWhen switch
    {
        AckWhen.Journaled => $"journaled: a 202 survives a killed process; a power cut can take the last {SettingText.FormatDuration(settings.Journal.FlushInterval)}",
        AckWhen.Synced => "synced: a 202 survives a killed process and a power cut",
        _ => "stored: a 202 is committed in the database",
    };

    private string Authorization()
    {
        if (settings.Registration.Open) return "";
        if (token.IsNew) return $"-H 'X-API-Key: {token.Value}' ";
        return token.File is null ? "-H \"X-API-Key: $ADMIN_TOKEN\" " : $"-H \"X-API-Key: $(cat '{token.File}')\" ";
    }

    /// <summary>An address that a command on this machine can use: a server on every address is also on the local one.</summary>
    private static string Reachable(string address) =>
        address.Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal)
            .Replace("://[::]", "://localhost", StringComparison.Ordinal)
            .Replace("://*", "://localhost", StringComparison.Ordinal)
            .Replace("://+", "://localhost", StringComparison.Ordinal);

    private static string Styled(string text, string style, bool ansi) => ansi && text.Length > 0 ? style + text + Plain : text;
}
