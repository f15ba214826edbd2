using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Http;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>Keeps the id of one accepted event in so many, to ask for events anywhere: 10 million leave 160 KB.</summary>
internal sealed class SampledIds : IRequestLedger
{
    private const int OneIn = 997; // Prime, so that it is another place of each batch.

    private readonly List<EventId> _ids = [];
    private readonly Lock _lock = new();

    /// <summary>One of them, as text.</summary>
    public string Any(Random random)
    {
        lock (_lock) return _ids[random.Next(_ids.Count)].ToString();
    }

    /// <inheritdoc/>
    public void NoteSent(long number, long content, long nanoseconds)
    {
    }

    /// <inheritdoc/>
    public void NoteAnswer(long number, in Answer answer)
    {
        if (answer.Status != 202 || number % OneIn != 0) return;
        lock (_lock) _ids.Add(answer.Id);
    }
}
