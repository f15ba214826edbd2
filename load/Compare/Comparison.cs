using ZapierTriggers.Load.Core.CommandLine;
using ZapierTriggers.Load.Core.Contest;
using ZapierTriggers.Load.Core.Reporting;

namespace ZapierTriggers.Load.Compare;

/// <summary>The server in each of its modes beside the yardstick and what a user would take instead, in turn, on one machine.</summary>
internal static class Comparison
{
    public const string Usage = """
        One event at a time over many connections, in turn: a bare Kestrel, this server in each mode, and where installed Redis Streams,
        NATS JetStream and PostgreSQL. All are started here, with temporary files. dotnet run -c Release --project load/Compare -- [options]

          --rounds N           default 5, after one to warm up
          --seconds N          of each round, default 5
          --connections N      default 64
          --only LIST          of bare, journaled, synced, stored, redis, nats, postgres; bare always runs
          --server PATH        the built server; searched by default
          --database URL       the server's DATABASE_URL, for one mode only; SQLite in its temporary files by default
          --hold               journaled and synced store a round's events after it, not meanwhile: the way to the 202 alone
          --short              2 rounds of 1 s over 16 connections

        Two more commands, on servers and files of their own:

        drain     the journal's way into PostgreSQL beside a bare COPY of the same rows, in turn; then the audit
          --rounds N           default 7, after one to warm up
          --events N           of each round, default 200000
          --short              2 rounds of 5000, no bar
        start     from the process's start to ready: an empty data directory, its memory idle, a journal not stored; then the audit
          --rounds N           default 5
          --events N           not stored, default 1000000
          --idle N             seconds until memory is looked at, default 10
          --postgres           on a PostgreSQL of its own; SQLite by default
          --short              1 round of 20000, no bars

        For all: --server PATH, --dedup MODE, --data FILE, --size N, --seed N as in load/OpenLoop

        Exit codes: 0 done, 1 could not run, 2 something was refused, so that rates are void, a bar was missed or a promise broken.
        """;

    private static readonly string[] Modes = ["journaled", "synced", "stored"];
    private static readonly string[] All = ["bare", .. Modes, "redis", "nats", "postgres"];

    /// <summary>Runs it.</summary>
    public static async Task<int> RunAsync(Arguments arguments, CancellationToken stop)
    {
        var isShort = arguments.Flag("--short");
        var rounds = arguments.Count("--rounds", isShort ? 2 : 5);
        var duration = TimeSpan.FromSeconds(arguments.Number("--seconds", isShort ? 1 : 5));
        var connections = arguments.Count("--connections", isShort ? 16 : 64);
        var only = arguments.Text("--only")?.Split(',') ?? All;
        var (server, database) = (arguments.Text("--server"), arguments.Text("--database"));
        var isHeld = arguments.Flag("--hold");
        var options = new CommonOptions(arguments);
        arguments.RefuseOthers();
        if (isHeld && database is not null) throw new UsageException("--hold is for the embedded database: leave --database out.");
        if (only.FirstOrDefault(name => !All.Contains(name, StringComparer.Ordinal)) is { } other)
            throw new UsageException($"--only knows no '{other}'; there are {string.Join(", ", All)}.");

        // Each mode is a server of its own, and two on one database fence each other off.
        if (database is not null && only.Count(name => Modes.Contains(name, StringComparer.Ordinal)) > 1)
            throw new UsageException(
                "--database is for one server: give --only with one of journaled, synced and stored, e.g. --only synced,postgres.");

        Console.WriteLine($"machine   {Machine.Describe()}, generator and servers on it");
        Console.WriteLine(options.Describe(options.CreateSource()));
        Console.WriteLine(
            $"plan      {rounds} rounds of {duration.TotalSeconds:N0} s each, {connections} connections, an event in flight on each"
            + (isHeld ? "; the stores of journaled and synced are held meanwhile" : ""));
        var names = All.Where(name => name == "bare" || only.Contains(name, StringComparer.Ordinal));
        var contestants = names.SelectMany(name => Make(name, server, database, isHeld)).ToList();
        try
        {
            var entries = await ContestRounds.StartAsync(contestants, options.CreateSource, Console.WriteLine, stop);
            void Tell(int round) => Console.WriteLine($"round     {round + 1} of {rounds}");
            await ContestRounds.RunAsync(entries, rounds, connections, duration, Tell, stop);
            var rows = entries.Where(entry => entry.Rounds.Count > 0).Select(entry => ContestRow.Of(entry, entries[0])).ToList();
            foreach (var line in ContestTable.Lines(rows)) Console.WriteLine(line);
            return rows.Count == 0 || rows.Any(row => row.Refused > 0) ? 2 : 0;
        }
        finally
        {
            foreach (var contestant in contestants) await contestant.DisposeAsync();
        }
    }

    private static IEnumerable<IContestant> Make(string name, string? server, string? database, bool isHeld) => name switch
    {
        "bare" => [HttpContestant.Bare(OwnCommand)],
        "journaled" => [HttpContestant.Server(name, "process; power: all but the last 50 ms", server, database, isHeld ? HoldAsync : null)],
        "synced" => [HttpContestant.Server(name, "process; power", server, database, isHeld ? HoldAsync : null)],
        "stored" => [HttpContestant.Server(name, "process; power; readable at once", server, database, hold: null)],
        "redis" => [WireContestant.Redis("everysec"), WireContestant.Redis("always")],
        "nats" => [WireContestant.Nats()],
        _ => [WireContestant.Postgres()],
    };

    private static async Task<IAsyncDisposable> HoldAsync(string sqlitePath, CancellationToken stop) => await StoreHold.OfAsync(sqlitePath, stop);

    private static (string Program, string[] Arguments) OwnCommand(string port)
    {
        var own = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(own) == "dotnet"
            ? (own, [typeof(Comparison).Assembly.Location, "bare", port])
            : (own, ["bare", port]);
    }
}
