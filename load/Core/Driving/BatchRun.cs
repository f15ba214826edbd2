using System.Diagnostics;
using ZapierTriggers.Load.Core.Bodies;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>What came of a batch load.</summary>
/// <param name="Elapsed">From the start to the last answer.</param>
/// <param name="Calls">Calls answered, by status; index 0 counts those without an answer, or with one that does not fit the batch.</param>
/// <param name="Items">Items by the status that each would have had alone.</param>
/// <param name="Bytes">Bytes of all requests.</param>
/// <param name="Latencies">From the sending of a call to its whole answer.</param>
internal sealed record BatchFigures(TimeSpan Elapsed, long[] Calls, long[] Items, long Bytes, LatencySummary Latencies)
{
    /// <summary>Events accepted a second.</summary>
    public double Rate => Items[202] / Elapsed.TotalSeconds;
}

/// <summary>Batches in a closed loop: one thread and one connection each, since a call is long beside what a thread costs.</summary>
/// <param name="settings">What is sent where, and over how many connections.</param>
/// <param name="itemsPerCall">Events of a call; fewer where they would be too many bytes.</param>
/// <param name="ledger">Where each event is noted; null notes none.</param>
/// <param name="given">Numbers the events; runs that share it share one sequence of contents. Null begins one.</param>
internal sealed class BatchRun(LoadSettings settings, int itemsPerCall, IRequestLedger? ledger, RequestNumbers? given = null)
{
    private const int HighestStatus = 599;

    private readonly RequestNumbers _numbers = given ?? new RequestNumbers();
    private readonly Lock _lock = new();
    private readonly long[] _calls = new long[HighestStatus + 1];
    private readonly long[] _items = new long[HighestStatus + 1];
    private readonly List<TimeSpan> _latencies = [];
    private long _bytes;
    private long _end = long.MaxValue;

    /// <summary>Sends so many events, however long it takes.</summary>
    public Task<BatchFigures> RunAsync(long events, CancellationToken stop)
    {
        _end = _numbers.Given + events;
        return RunAsync(TimeSpan.MaxValue, stop);
    }

    /// <summary>Runs for so long.</summary>
    public async Task<BatchFigures> RunAsync(TimeSpan duration, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, settings.Connections).Select(_ => Task.Factory.StartNew(
            () => Run(start, duration, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        var latencies = _latencies.Count > 0 ? LatencySummary.Of(_latencies) : default;
        return new BatchFigures(Stopwatch.GetElapsedTime(start), _calls, _items, _bytes, latencies);
    }

    private void Run(long start, TimeSpan duration, CancellationToken stop)
    {
        using var wire = new HttpWire(settings.Server, settings.Timeout);
        var encoder = new BatchEncoder(settings.Server, settings.ApiKey, settings.Source);
        var numbers = new List<long>(itemsPerCall);
        var answers = new Answer[itemsPerCall];
        var over = -1L; // A number drawn for an event that did not fit any more begins the next call.
        while (Stopwatch.GetElapsedTime(start) < duration && !stop.IsCancellationRequested)
        {
            Fill(encoder, numbers, ref over, start);
            if (numbers.Count == 0) return;
            var request = encoder.Finish();
            var sent = Stopwatch.GetTimestamp();
            var answer = wire.Send(request);
            var latency = Stopwatch.GetElapsedTime(sent);
            var items = answers.AsSpan(0, numbers.Count);
            if (answer.Status == 200 && !BatchResults.TryRead(wire.Body, items)) answer = Answer.None;
            if (answer.Status != 200) items.Fill(answer);
            for (var i = 0; i < items.Length; i++) ledger?.NoteAnswer(numbers[i], items[i]);
            Count(answer.Status, items, request.Length, latency);
        }
    }

    private void Fill(BatchEncoder encoder, List<long> numbers, ref long over, long start)
    {
        encoder.Clear();
        numbers.Clear();
        while (numbers.Count < itemsPerCall)
        {
            // Drawn past the end, a number stands for no event.
            if (over < 0 && _numbers.Given >= _end) return;
            var number = over >= 0 ? over : _numbers.Next();
            if (number >= _end) return;
            var content = settings.Source.ContentOf(number);
            over = -1;
            if (!encoder.TryAdd(content))
            {
                over = number;
                return;
            }

            ledger?.NoteSent(number, content, (long)Stopwatch.GetElapsedTime(start).TotalNanoseconds);
            numbers.Add(number);
        }
    }

    private void Count(int status, ReadOnlySpan<Answer> items, int bytes, TimeSpan latency)
    {
        lock (_lock)
        {
            _calls[Math.Min(status, HighestStatus)]++;
            foreach (var item in items) _items[Math.Min(item.Status, HighestStatus)]++;
            _bytes += bytes;
            if (status != 0) _latencies.Add(latency);
        }
    }
}
