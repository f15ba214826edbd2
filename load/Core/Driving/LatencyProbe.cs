using System.Diagnostics;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Load.Core.Driving;

/// <summary>Posts events one at a time, at a rate, on a thread of its own, and notes when each answer came.</summary>
internal sealed class LatencyProbe(LoadSettings settings, RequestNumbers numbers, Ledger ledger)
{
    /// <summary>
    /// Runs to the end. Gives a <see cref="Stopwatch"/> timestamp of the 202 for each event; what was not accepted is in the ledger only.
    /// </summary>
    public Task<Dictionary<EventId, long>> RunAsync(double rate, TimeSpan duration, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(
            () => Run(rate, duration, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private Dictionary<EventId, long> Run(double rate, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var wire = new HttpWire(settings.Server, settings.Timeout);
        var encoder = settings.Source.CreateEncoder(settings.Server, settings.ApiKey);
        var answered = new Dictionary<EventId, long>();
        var (count, start) = ((long)(rate * duration.TotalSeconds), Stopwatch.GetTimestamp());
        for (var sent = 0L; sent < count && !cancellationToken.IsCancellationRequested; sent++)
        {
            var early = TimeSpan.FromSeconds(sent / rate) - Stopwatch.GetElapsedTime(start);
            if (early > TimeSpan.Zero)
                Thread.Sleep(early); // Latency counts from the answer: when exactly an event goes out is all the same.
            var number = numbers.Next();
            var content = settings.Source.ContentOf(number);
            ledger.NoteSent(number, content, (long)Stopwatch.GetElapsedTime(start).TotalNanoseconds);
            var answer = wire.Send(encoder.Encode(content));
            var now = Stopwatch.GetTimestamp();
            ledger.NoteAnswer(number, answer);
            if (answer.Status == 202) answered[answer.Id] = now;
        }

        return answered;
    }
}
