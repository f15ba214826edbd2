using System.Diagnostics;
using System.Net;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>
/// One thread that sends by a plan over its connections and takes the answers. Non-blocking sockets and one wait for all of them: under
/// load one wake-up serves many answers, which is what keeps the generator cheap beside the server on the same cores.
/// </summary>
internal sealed class Driver : IDisposable
{
    private const long Millisecond = 1_000_000;
    private const long SweepInterval = 50 * Millisecond; // Reconnects and time-outs need no finer grain.

    private readonly Connection[] _connections;
    private readonly Queue<int> _idle;
    private readonly ReadySet _readySet;
    private readonly SendPlan _plan;
    private readonly EventSource _source;
    private readonly RequestEncoder _encoder;
    private readonly RequestNumbers _numbers;
    private readonly IRequestLedger? _ledger;
    private readonly AnswerTaken? _onAnswer;
    private readonly EventAccepted? _onAccepted;
    private readonly long _timeout;
    private long _start;
    private long _nextSweep;
    private int _underWay;

    /// <summary>Creates a driver; nothing is connected yet.</summary>
    public Driver(LoadSettings settings, EndPoint server, SendPlan plan, int connections, RequestNumbers numbers, IRequestLedger? ledger)
    {
        _connections = [.. Enumerable.Range(0, connections).Select(_ => new Connection(server))];
        _idle = new Queue<int>(connections);
        _readySet = new ReadySet(connections);
        _plan = plan;
        _source = settings.Source;
        _encoder = settings.Source.CreateEncoder(settings.Server, settings.ApiKey);
        _numbers = numbers;
        _ledger = ledger;
        _onAnswer = settings.OnAnswer;
        _onAccepted = settings.OnAccepted;
        _timeout = (long)settings.Timeout.TotalNanoseconds;
    }

    /// <summary>What has been counted so far.</summary>
    public Tally Tally { get; } = new();

    private long Now => (long)Stopwatch.GetElapsedTime(_start).TotalNanoseconds;

    /// <summary>Connects all that the server takes; the rest is tried again while running.</summary>
    public void Connect()
    {
        for (var slot = 0; slot < _connections.Length; slot++) TryConnect(slot, now: 0);
    }

    /// <summary>Runs the plan to its end and waits for the answers under way, no longer than the time-out.</summary>
    /// <param name="start">The <see cref="Stopwatch"/> timestamp from which the plan counts.</param>
    /// <param name="cancellationToken">Ends the run early; what is under way stays unanswered.</param>
    public void Run(long start, CancellationToken cancellationToken)
    {
        _start = start;
        ReadySet.UseExactTimers();
        var overSince = long.MaxValue;
        for (var now = Now; ; now = Now)
        {
            SendDue(now);
            Tally.Backlog = _plan.Backlog(now);
            if (now >= _nextSweep) Sweep(now);
            if (overSince == long.MaxValue && _plan.EndsBy(now)) overSince = now;
            if (cancellationToken.IsCancellationRequested || (_plan.IsOver(now) && _underWay == 0) || now - _timeout > overSince) break;

            var count = _readySet.Wait(TimeSpan.FromTicks((WakeAt(now) - now) / 100));
            var woken = Now;
            Tally.Waited += woken - now;
            foreach (var slot in _readySet.Ready(count)) Serve(slot);
        }

        for (var slot = 0; slot < _connections.Length; slot++) Break(slot, Now);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var connection in _connections) connection.Dispose();
    }

    // With no idle connection a due request must wait for an answer, and only the sweep is timed.
    private long WakeAt(long now) => _idle.Count == 0 || _plan.IsClosed ? _nextSweep : Math.Clamp(_plan.Next, now, _nextSweep);

    private void SendDue(long now)
    {
        while (_idle.Count > 0 && _plan.TryTake(now, out var intended))
        {
            var slot = _idle.Dequeue();
            var connection = _connections[slot];
            var number = _numbers.Next();
            var content = _source.ContentOf(number);
            now = Now;
            if (_plan.IsClosed) intended = now;
            _ledger?.NoteSent(number, content, now);
            Tally.CountSent(now - Math.Max(intended, connection.IdleSince));
            _underWay++;
            if (!connection.TrySend(_encoder.Encode(content), number, intended, now)) Break(slot, now);
            else if (connection.HasUnsent) _readySet.Watch(slot, connection.Socket!, forWriting: true);
        }
    }

    private void Serve(int slot)
    {
        var connection = _connections[slot];
        if (connection.Socket is null) return; // Broken by a send since it was found ready.
        if (connection.HasUnsent)
        {
            if (!connection.TrySendRest())
            {
                Break(slot, Now);
                return;
            }

            if (!connection.HasUnsent) _readySet.Watch(slot, connection.Socket!);
        }

        switch (connection.Receive(out var answer))
        {
            case ParseResult.Complete when connection.Number >= 0:
                Settle(slot, connection, answer);
                break;
            case ParseResult.Incomplete:
                break;
            default:
                Break(slot, Now);
                break;
        }
    }

    private void Settle(int slot, Connection connection, in Answer answer)
    {
        var now = Now;
        Tally.CountAnswer(answer.Status, now - connection.Times.Intended);
        _onAnswer?.Invoke(answer.Status, now, now - connection.Times.Intended);
        if (answer.Status == 202) _onAccepted?.Invoke(answer.Id, Stopwatch.GetTimestamp());
        _ledger?.NoteAnswer(connection.Number, answer);
        connection.Finish(now);
        _underWay--;
        if (answer.Close || connection.HasUnsent)
        {
            Break(slot, now);
            return;
        }

        _idle.Enqueue(slot);
        SendDue(now);
    }

    // The connection is of no further use: a request under way stays without an answer.
    private void Break(int slot, long now)
    {
        var connection = _connections[slot];
        if (connection.Number >= 0)
        {
            Tally.CountUnanswered();
            connection.Finish(now);
            _underWay--;
        }
        else if (connection.Socket is not null)
        {
            RemoveIdle(slot);
        }

        _readySet.Forget(slot);
        connection.Disconnect();
        _nextSweep = Math.Min(_nextSweep, now + Millisecond);
    }

    private void RemoveIdle(int slot)
    {
        for (var left = _idle.Count; left > 0; left--)
        {
            var other = _idle.Dequeue();
            if (other != slot) _idle.Enqueue(other);
        }
    }

    private void Sweep(long now)
    {
        _nextSweep = now + SweepInterval;
        for (var slot = 0; slot < _connections.Length; slot++)
        {
            var connection = _connections[slot];
            if (connection.Number >= 0 && now - connection.Times.Sent > _timeout) Break(slot, now);
            if (connection.Socket is null && !_plan.IsOver(now)) TryConnect(slot, now);
        }
    }

    private void TryConnect(int slot, long now)
    {
        var connection = _connections[slot];
        if (!connection.TryConnect()) return;
        connection.IdleSince = now;
        _readySet.Watch(slot, connection.Socket!);
        _idle.Enqueue(slot);
    }
}
