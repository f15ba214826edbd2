using ZapierTriggers.Core.Events;
using ZapierTriggers.Load.Core.Http;
using ZapierTriggers.Load.Core.Verdict;

namespace ZapierTriggers.Tests.Unit.Load;

public sealed class LedgerTests
{
    [Fact]
    public void A_request_is_unanswered_until_its_answer_is_noted()
    {
        var ledger = new Ledger();
        ledger.NoteSent(0, content: 0, nanoseconds: 5_000);
        Assert.Equal(new LedgerEntry(default, 5, 0, 0), Assert.Single(ledger.Entries));
        ledger.NoteAnswer(0, Answer.None);
        Assert.Equal(0, Assert.Single(ledger.Entries).Status);
        var id = new EventId(1, 2);
        ledger.NoteAnswer(0, new Answer(202, id, Close: false));
        Assert.Equal(new LedgerEntry(id, 5, 0, 202), Assert.Single(ledger.Entries));
    }

    [Fact]
    public void Numbers_that_were_never_sent_are_passed_over()
    {
        var ledger = new Ledger();
        ledger.NoteSent(200_000, content: 7, nanoseconds: 0);
        Assert.Equal(200_001, ledger.Count);
        Assert.Equal(7, Assert.Single(ledger.Entries).Content);
    }

    [Fact]
    public void Threads_that_note_different_numbers_do_not_disturb_each_other()
    {
        const int Count = 300_000;
        var ledger = new Ledger();
        Parallel.For(0, Count, number =>
        {
            ledger.NoteSent(number, number, nanoseconds: 0);
            ledger.NoteAnswer(number, new Answer(202, new EventId((ulong)number, 1), Close: false));
        });
        Assert.Equal(Count, ledger.Count);
        Assert.Equal(Enumerable.Range(0, Count), ledger.Entries.Select(entry => entry.Content));
        Assert.All(ledger.Entries, entry => Assert.Equal((ulong)entry.Content, entry.Id.High));
    }
}
