namespace ZapierTriggers.Load.OpenLoop;

/// <summary>What <c>--help</c> prints.</summary>
internal static class Usage
{
    public const string Text = """
        Load for an event server: dotnet run -c Release --project load/OpenLoop -- COMMAND [options]

        run       sends at a fixed rate whatever the server does, then audits what was stored
          --url URL            default http://localhost:8080
          --rate N             events per second, default 1000
          --seconds N          default 10
          --arrivals MODE      constant (default) or poisson
          --webhooks           receives webhooks too, and audits them
          --no-audit           skips the audit
        knee      finds the capacity, then offers 10 % to 110 % of it in steps; writes report.html and report.ndjson; then the audit
          --url URL, --webhooks, --no-audit
          --server-pid PID     shows the server's CPU per event too (Linux)
          --seconds N          of each step, default 10
          --measure N          seconds of measuring the capacity, default 5
          --capacity N         events per second that count as the capacity instead
          --percents LIST      the steps, default 10,20,30,40,50,60,70,80,90,100,110
          --out FOLDER         where the reports go, default reports
          --self-test          alone: shows that a stall of one second in ten is seen
        closed    each connection sends again as soon as it has its answer
          --url URL, --seconds N
          --server-pid PID     shows the server's CPU per request too (Linux)
        batch     calls of many events, each connection sends again as soon as it has its answer; then the audit
          --url URL, --seconds N, --no-audit, --server-pid PID
          --items N            events of a call, at most and by default 1000
          --connections N      default 4
        overload  twice the capacity for a while, then half of it: goodput, refusals, how soon all is normal; then the audit
          --url URL
          --seconds N          of the overload, default 60
          --measure N          seconds of measuring the capacity, default 10
          --crowd N            connections of the overload, default 512
          --short              3 s after 1 s of measuring, 64 connections, no bars
        compare   closed rounds against two servers in turn, A B B A …, and their ratios
          --url A --against B  two addresses
          --pairs N            default 7
          --seconds N          of each round, default 5
          --connections LIST   default 64,1
          --against-key KEY    B's key
          --short              2 pairs of 1 s over 16 connections, then the audit of each that has an inbox
        webhooks  deliveries a second beside a plain client's posts, in turn; how soon an event is at its receiver; then the audit
          --url URL, --server-pid PID
          --rounds N           default 5, after one to warm up; --no-rounds: none
          --events N           of each round, default 40000
          --in-flight N        posts in flight of the plain client, default 64
          --hold N             seconds for which the endpoint is paused while a round's events are accepted
          --idle-rate N        events per second for the latency with nothing else to do, default 20
          --busy-rate N        measures the latency at this rate too
          --seconds N          of each latency, default 10
          --hanging N, --failing N   measures the latency alone and beside so many bad endpoints; needs --admin-token
          --neighbours-rate N  events per second for these, default 100
        soak      a rate for an hour with dedup ids and webhooks, a line every 10 s; did memory or latency grow; the ledger; the audit
          --url URL, --server-pid PID (memory without mapped files)
          --rate N             events per second, default 1000; or --percent N of the capacity, --measure N seconds of measuring it
          --seconds N          default 3600
          --every N            seconds from line to line, default 10
          --out FILE           the same lines as NDJSON, default reports/soak.ndjson
          --short              20 s at 500, a line a second, no bars
        inbox     fills an organization, then times pages, filters and acks; PASS or FAIL for each; then the server's ledger
          --url URL
          --events N           default 10000000
          --size N             bytes of a payload, default 200
          --times N            how often each is asked, default 100
          --connections N      of the filling, default 4
          --short              20000 events, each asked 5 times, no bars
        bare      hosts the yardstick, a Kestrel that only reads and answers
          --port N             default 9090
          --headers MODE       contract (default) or none

        For all of these but bare (soak: payloads of 400 bytes and dedup ids by default; inbox: --key, --admin-token and --seed only):
          --connections N      default 64
          --threads N          sending threads, default 1
          --key KEY            an organization's key; without it one is made by POST /api/keys/generate
          --admin-token TOKEN  makes the organization with it and lifts its rate limit (compare: at both servers)
          --dedup MODE         none (default), unique, or dup:5% (that share repeats an earlier event)
          --data FILE          events to send, one a line; default shared/data/github-events.ndjson
          --size N             generated payloads of N bytes instead
          --seed N             of what is generated or drawn, default 1
          --timeout N          seconds an answer may take, default 10

        Exit codes: 0 good, 1 could not run, 2 a promise was broken or the numbers are void.
        """;
}
