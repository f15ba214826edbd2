using System.Text.RegularExpressions;

namespace ZapierTriggers.Tests.Unit.Architecture;

/// <summary>
/// Every SQL text of both stores that touches a table of organizations binds each of these tables to an organization, by a parameter or by
/// another table that is bound; the few that are about all organizations are listed with the reason.
/// </summary>
public sealed partial class TenantStatementsTests
{
    // What begins like this (file and first words) is about all organizations, or is a part of a statement that binds it.
    private static readonly (string Start, string Reason)[] Exempt =
    [
        ("AccountStatements.cs: SELECT organization_no, id, hash, prefix,", "all accounts are loaded at the start"),
        ("PostgresAccountStore.cs: UPDATE api_keys k SET last_used_at",
            "by the keys' own ids, unique over all, from the directory in memory and from no request"),
        ("SqliteAccountStore.cs: UPDATE api_keys SET last_used_at",
            "by the key's own id, unique over all, from the directory in memory and from no request"),
        ("EndpointStatements.cs: SELECT p.organization_no, p.id, p.is_default,", "all endpoints are loaded at the start"),
        ("EndpointStatements.cs: SELECT f.organization_no, f.endpoint_id,", "all endpoints are loaded at the start"),
        ("PostgresAudit.cs: SELECT {AuditStatements.Columns} FROM audit_entries a WHERE $1", "the administrator reads the entries of all"),
        ("SqliteAudit.cs: SELECT {AuditStatements.Columns} FROM audit_entries a WHERE $1", "the administrator reads the entries of all"),
        ("PostgresRetries.cs: SELECT r.due_at FROM retries r", "when the sweep over all endpoints is due next"),
        ("SqliteRetries.cs: retries r JOIN endpoints p", "a part: the claim adds the organization, the sweep is over all"),
        ("ReplayJobStatements.cs: SELECT {Columns} FROM replay_jobs j", "the unfinished jobs of all, each then run as its own"),
        ("ReplayScanStatements.cs: SELECT count(*) FROM outcomes o", "bound by the part InRange"),
        ("ReplayScanStatements.cs: SELECT o.event_id, o.endpoint_id,", "bound by the part InRange"),
        ("PostgresDays.cs: INSERT INTO ledger_days AS l", "a day of all organizations is counted, each in its own row, and dropped"),
        ("PostgresDays.cs: INSERT INTO expirations AS x", "a day of all organizations is dropped, which each of them is told"),
        ("RetentionStatements.cs: UPDATE erased_events SET dedup_hash", "by time, of all organizations"),
        ("PostgresRetention.cs: DELETE FROM erased_events x USING", "what each organization's retention has passed"),
        ("SqliteRetention.cs: DELETE FROM erased_events WHERE EXISTS", "what each organization's retention has passed"),
        ("ErasureStatements.cs: SELECT {Columns} FROM erasures j", "the unfinished erasures of all, each then run as its own"),
        ("PostgresAccountChanges.cs: SELECT e.organization_no, e.id, e.kind", "servers follow the erasures of all, each by itself"),
        ("PostgresLedger.cs: SELECT d.organization_no, d.day,", "verify adds up all organizations, each by itself"),
        ("SqliteLedger.cs: SELECT l.organization_no, l.day,", "verify adds up all organizations, each by itself"),
        ("SqliteLedger.cs: SELECT e.organization_no, e.id FROM", "verify adds up all organizations, each by itself"),
        ("PostgresLedger.cs: SELECT t.kind, sum(t.events)", "a figure of /metrics, over all organizations"),
        ("SqliteLedger.cs: SELECT t.kind, sum(t.events)", "a figure of /metrics, over all organizations"),
        ("PostgresLedger.cs: SELECT {LedgerRows.Counts}, (SELECT count(*) FROM quarantine q)",
            "a figure of /metrics, over all organizations"),
        ("SqliteLedger.cs: SELECT {LedgerRows.Counts}, (SELECT count(*) FROM quarantine q)",
            "a figure of /metrics, over all organizations"),
        ("LedgerRows.cs: SELECT count(*) FROM {table} h", "verify counts over all organizations"),
        ("PostgresUsage.cs: SELECT u.organization_no,", "the quotas of all at the start, of several later, each by itself"),
        ("SqliteUsage.cs: SELECT u.organization_no,", "the quotas of all at the start, each by itself"),
        ("UsageStatements.cs: SELECT d.organization_no, d.day,", "verify compares all organizations, each by itself"),
        ("UsageStatements.cs: DELETE FROM usage_days WHERE", "by time, of all organizations"),
        ("StatusFilter.cs: ", "parts: the events they are added to are bound"),
    ];

    // About all organizations: what they are, the health check's row, and which of them have changed (read by servers, by no call).
    private static readonly string[] ForAll = ["organizations", "probes", "account_changes"];

    [Fact]
    public void Every_statement_binds_each_table_to_an_organization()
    {
        var tables = TenantTables();
        var faults = Statements(tables).Where(one => !IsExempt(one))
            .SelectMany(one => Unbound(one.Sql, tables).Select(table => $"{one.Start}…: {table} is not bound to an organization"));

        Assert.Equal([], faults);
    }

    [Fact]
    public void Every_statement_gets_its_organization_from_a_parameter()
    {
        var statements = Statements(TenantTables()).Where(one => !IsExempt(one)).ToList();

        Assert.True(statements.Count > 40, $"only {statements.Count} statements were found");
        Assert.Equal([], statements.Where(one => !Anchor().IsMatch(one.Sql)).Select(one => one.Start));
    }

    [Fact]
    public void Every_exemption_is_needed()
    {
        var starts = Statements(TenantTables()).Select(one => one.Start).ToList();

        Assert.Equal([], Exempt.Where(one => !starts.Exists(start => start.StartsWith(one.Start, StringComparison.Ordinal)))
            .Select(one => one.Start));
    }

    [Fact]
    public void No_statement_changes_or_removes_an_audit_entry()
    {
        var texts = Files("*.cs").Concat(Files("*.sql")).Select(
            file => (File: Path.GetFileName(file), Text: Space().Replace(File.ReadAllText(file), " ")));

        Assert.Equal([], texts.Where(one => ChangedEntry().IsMatch(one.Text)).Select(one => one.File));
        Assert.Matches(ChangedEntry(), "DELETE FROM audit_entries a");
        Assert.Matches(ChangedEntry(), "INSERT INTO audit_entries (organization_no) VALUES ($1) ON CONFLICT DO UPDATE");
    }

    [Fact]
    public void Both_stores_have_statements_for_every_table_of_organizations()
    {
        var tables = TenantTables();
        Assert.Superset(new HashSet<string>(["events", "acks", "endpoints", "outcomes", "retries", "api_keys"], StringComparer.Ordinal),
            tables);
        foreach (var store in (string[])["Postgres", "Sqlite"])
        {
            var all = string.Concat(Statements(tables).Where(one => IsOf(store, one.Start)).Select(one => one.Sql + "\n"));
            Assert.Equal([], tables.Where(table => !Regex.IsMatch(all, $@"\b{table}\b", RegexOptions.None, TimeSpan.FromSeconds(1))));
        }
    }

    [Fact]
    public void A_statement_without_its_condition_is_noticed()
    {
        var tables = TenantTables();
        var statements = Statements(tables).Where(one => !IsExempt(one) && Condition().IsMatch(one.Sql)
            && !one.Sql.Contains("INSERT INTO", StringComparison.Ordinal)).ToList();

        Assert.True(statements.Count > 20, $"only {statements.Count} statements have a condition");
        Assert.Equal([], statements.Where(one => Condition().Replace(one.Sql, "true") is var sql && !Unbound(sql, tables).Any()
            && Anchor().IsMatch(sql)).Select(one => one.Start));
    }

    /// <summary>The migrations' tables with an organization, but for the organizations themselves and the health check's row.</summary>
    private static HashSet<string> TenantTables() =>
        [.. Files("*.sql").SelectMany(file => CreatedTable().Matches(File.ReadAllText(file)))
            .Where(match => match.Groups["columns"].Value.Contains("organization_no", StringComparison.Ordinal))
            .Select(match => match.Groups["name"].Value).Where(name => !ForAll.Contains(name))];

    /// <summary>All string literals that name one of the tables, white space made single; the start is the file and the first
    /// words.</summary>
    private static IEnumerable<(string Start, string Sql)> Statements(HashSet<string> tables) => Files("*.cs")
        .SelectMany(file => Literal().Matches(File.ReadAllText(file))
            .Select(match => (File: Path.GetFileName(file), Sql: Space()
            .Replace(match.Groups["raw"].Value + match.Groups["plain"].Value, " ").Trim())))
        .Where(one => References(one.Sql, tables).Any() || (one.Sql.Length > 0 && one.Sql[0] is >= 'a' and <= 'z'
            && tables.Any(table => one.Sql.StartsWith(table + " ", StringComparison.Ordinal))))
        .Select(one => ($"{one.File}: {one.Sql[..Math.Min(70, one.Sql.Length)]}", one.Sql));

    /// <summary>Whether a statement is the store's own, or in a file of statements that both speak and that it names.</summary>
    private static bool IsOf(string store, string start)
    {
        var file = start[..start.IndexOf(".cs: ", StringComparison.Ordinal)];
        return file.StartsWith(store, StringComparison.Ordinal)
            || (file.EndsWith("Statements", StringComparison.Ordinal)
                && Files(store + "*.cs").Any(own => File.ReadAllText(own).Contains(file + ".", StringComparison.Ordinal)));
    }

    private static bool IsExempt((string Start, string Sql) statement) =>
        Exempt.Any(one => statement.Start.StartsWith(one.Start, StringComparison.Ordinal));

    private static IEnumerable<Match> References(string sql, HashSet<string> tables) =>
        Reference().Matches(sql).Where(match => tables.Contains(match.Groups["table"].Value));

    private static IEnumerable<string> Unbound(string sql, HashSet<string> tables)
    {
        foreach (var match in References(sql, tables))
        {
            var alias = match.Groups["alias"].Value;
            var inserts = match.Groups["verb"].Value is "INTO" or "COPY";
            var rest = sql[match.Index..];
            var isBound = inserts
                ? Regex.IsMatch(rest, @"^\S+ \w+ (AS \w+ )?\(\s*organization_no,", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
                : Regex.IsMatch(sql, alias.Length > 0
                    ? $@"\b{alias}\.organization_no = (\$1|\?1|\w+\.organization_no)|= {alias}\.organization_no\b"
                    : @"(?<![.\w])organization_no = (\$1|\?1)", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
            if (!isBound) yield return match.Value;
        }
    }

    private static IEnumerable<string> Files(string pattern) =>
        Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Path, "src/Server/Storage"), pattern, SearchOption.AllDirectories);

    [GeneratedRegex(
        @"\b(UPDATE|DELETE FROM|TRUNCATE|DROP TABLE|ALTER TABLE)( \w+){0,3} audit_entries\b|INTO audit_entries [^;""]*DO UPDATE",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex ChangedEntry();

    // Raw literals, and plain ones.
    [GeneratedRegex(
        "\"\"\"(?<raw>.*?)\"\"\"|\"(?<plain>([^\"\\\\\\n]|\\\\.)*)\"", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Literal();

    [GeneratedRegex(@"\s+", RegexOptions.None, 5_000)]
    private static partial Regex Space();

    [GeneratedRegex(@"CREATE TABLE (?<name>\w+) \((?<columns>.*?)\n\)", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex CreatedTable();

    // A table where a statement takes or changes rows, with the name it has there.
    [GeneratedRegex(@"\b(?<verb>FROM|JOIN|USING|UPDATE|INTO|COPY) (?<table>\w+)( AS)?( (?!(?:WHERE|SET|ON|AS|JOIN|LEFT|ORDER|GROUP|LIMIT|VALUES|SELECT|FROM|USING|UNION)\b)(?<alias>\w+))?", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Reference();

    [GeneratedRegex(@"(\w+\.)?organization_no = [$?]1\b", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Condition();

    // The organization as a parameter: compared, inserted as the first value, selected, or one of the rows given as arrays.
    [GeneratedRegex(@"organization_no = [$?]1\b|VALUES \([$?]1,|SELECT \$1,|unnest\(|\{Results\}|\{Keys\}|COPY events \(organization_no,|SELECT made\.|\{Columns\}", RegexOptions.ExplicitCapture, 5_000)]
    private static partial Regex Anchor();
}
