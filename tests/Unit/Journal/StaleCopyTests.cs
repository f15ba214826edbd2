using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Journal.Disk;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Journal;

/// <summary>
/// A journal that the store is ahead of is a copy that another one has gone ahead of: it is refused, unless the operator consents.
/// </summary>
public sealed class StaleCopyTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public async Task A_checkpoint_ahead_of_the_journal_refuses_the_start()
    {
        Checkpoint stored;
        using (var original = new JournalUnderTest(_directory.At("a")))
        {
            original.Append(10, 200);
            await original.SyncAsync();
            original.ReadAll();
            stored = original.ReadThrough;
        }

        // The copy's next start numbers from a million on; what it stores moves the checkpoint that both share.
        var ahead = new Checkpoint(new(stored.Id.High + 1_000, 0), stored.Sequence + (2 * JournalRecovery.SequenceJump));
        var message = Assert.Throws<JournalException>(() => new JournalUnderTest(_directory.At("a"), ahead)).Message;
        Assert.Contains("copy of this directory", message);
        File.WriteAllText(message[(message.LastIndexOf(' ') + 1)..].TrimEnd('.'), "");
        using var consented = new JournalUnderTest(_directory.At("a"), ahead);
        Assert.Empty(consented.ReadAll());
        consented.Append();
    }

    [Fact]
    public async Task The_own_checkpoint_is_never_ahead()
    {
        var stored = default(Checkpoint);
        for (var start = 0; start < 4; start++)
        {
            using var journal = new JournalUnderTest(_directory.At("b"), stored);
            if (start == 2) continue; // a start without an event
            journal.Append(3, 200);
            await journal.SyncAsync();
            journal.ReadAll();
            stored = journal.ReadThrough;
        }
    }

    [Fact]
    public void A_rename_that_fails_is_an_error_and_copies_nothing()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Elsewhere the framework's move stands in.");
        var from = _directory.At("from");
        File.WriteAllText(from, "kept");
        var other = Path.Combine("/dev/shm", Path.GetRandomFileName());
        if (!Directory.Exists("/dev/shm")) Assert.Skip("No second file system here.");
        Assert.Throws<IOException>(() => DurableFile.Rename(from, other));
        Assert.True(File.Exists(from) && !File.Exists(other));
    }

    public void Dispose() => _directory.Dispose();
}
