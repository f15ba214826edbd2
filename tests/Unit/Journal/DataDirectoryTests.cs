using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Unit.Journal;

public sealed class DataDirectoryTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public void The_identity_is_made_once_and_kept()
    {
        var first = Open();
        first.Dispose();
        using var second = Open();
        Assert.Equal((first.JournalId, first.FrameSecret, first.DedupSecret), (second.JournalId, second.FrameSecret, second.DedupSecret));
        Assert.NotEqual(first.FrameSecret, first.DedupSecret);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_directory.At("data/identity")));
    }

    [Fact]
    public void A_second_holder_is_refused_and_told_who_the_first_is()
    {
        using (Open())
        {
            var message = Assert.Throws<JournalException>(Open).Message;
            Assert.Contains(_directory.At("data"), message);
            Assert.Contains($"process {Environment.ProcessId}, started 20", message);
        }

        Open().Dispose();
    }

    [Fact]
    public void Every_damaged_byte_of_the_identity_is_noticed()
    {
        Open().Dispose();
        var path = _directory.At("data/identity");
        var good = File.ReadAllBytes(path);
        for (var i = 0; i < good.Length; i++)
        {
            var bytes = good.ToArray();
            bytes[i] ^= 0x10;
            File.WriteAllBytes(path, bytes);
            Assert.Contains(path, Assert.Throws<JournalException>(Open).Message);
        }

        File.WriteAllBytes(path, good.AsSpan(0, 63).ToArray());
        Assert.Contains(path, Assert.Throws<JournalException>(Open).Message);
        File.WriteAllBytes(path, good);
        Open().Dispose(); // a refusal holds no lock
    }

    [Fact]
    public void A_journal_without_its_identity_is_not_given_a_new_one()
    {
        using (var journal = new JournalUnderTest(_directory.At("data"))) journal.Append();
        File.Delete(_directory.At("data/identity"));
        Assert.Contains(_directory.At("data/identity"), Assert.Throws<JournalException>(Open).Message);
        Assert.False(File.Exists(_directory.At("data/identity")));
    }

    [Fact]
    public void A_place_that_cannot_be_a_directory_is_named()
    {
        File.WriteAllText(_directory.At("data"), "");
        Assert.Contains(_directory.At("data"), Assert.Throws<JournalException>(Open).Message);
    }

    public void Dispose() => _directory.Dispose();

    private DataDirectory Open() => DataDirectory.Open(_directory.At("data"), TimeProvider.System);
}
