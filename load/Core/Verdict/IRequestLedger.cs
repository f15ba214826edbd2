using ZapierTriggers.Load.Core.Http;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>
/// The client's own account of what it sent and what it was told. Safe for any number of threads that note different numbers.
/// </summary>
internal interface IRequestLedger
{
    /// <summary>Notes that a request goes out; until its answer is noted it counts as unanswered.</summary>
    /// <param name="number">The request's number.</param>
    /// <param name="content">The event it carries.</param>
    /// <param name="nanoseconds">When, from the start of the run.</param>
    void NoteSent(long number, long content, long nanoseconds);

    /// <summary>Notes the answer to a request sent; <see cref="Answer.None"/> leaves it unanswered.</summary>
    void NoteAnswer(long number, in Answer answer);
}
