using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Tests.Unit.Operations;

public sealed class AdminTokenTests
{
    [Fact]
    public void The_first_start_makes_one_and_later_starts_find_it()
    {
        using var folder = new ScratchFolder();

        var first = AdminToken.Provision(null, folder.Path);
        var second = AdminToken.Provision(null, folder.Path);

        Assert.True(first.IsNew);
        Assert.False(second.IsNew);
        Assert.Equal(first.Value, second.Value);
        Assert.Matches("^zap_admin_[0-9A-Za-z]{43}$", first.Value);
        Assert.True(second.Matches(first.Value));
    }

    [Fact]
    public void Only_its_owner_can_read_the_file_even_when_it_was_opened_wide()
    {
        using var folder = new ScratchFolder();
        AdminToken.Provision(null, folder.Path);
        var file = folder.File(AdminToken.FileName);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
            AdminToken.Provision(null, folder.Path);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        Assert.True(File.Exists(file));
    }

    [Fact]
    public void A_given_token_is_used_and_not_kept()
    {
        using var folder = new ScratchFolder();

        var token = AdminToken.Provision("a-token-of-mine", folder.Path);

        Assert.False(token.IsNew);
        Assert.Null(token.File);
        Assert.Empty(Directory.GetFiles(folder.Path));
        Assert.True(token.Matches("a-token-of-mine"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a-token-of-min")]
    [InlineData("a-token-of-minE")]
    [InlineData("a-token-of-mine ")]
    public void Anything_else_does_not_match(string text)
    {
        using var folder = new ScratchFolder();

        Assert.False(AdminToken.Provision("a-token-of-mine", folder.Path).Matches(text));
    }

    [Fact]
    public void A_text_of_any_length_is_answered()
    {
        using var folder = new ScratchFolder();

        Assert.False(AdminToken.Provision("a-token-of-mine", folder.Path).Matches(new string('x', 100_000)));
    }

    [Fact]
    public void A_file_cut_short_is_made_anew()
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder.File(AdminToken.FileName), "zap_adm");

        Assert.True(AdminToken.Provision(null, folder.Path).IsNew);
    }

    [Fact]
    public void A_folder_that_cannot_be_used_is_told_with_its_path()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(folder.File(AdminToken.FileName));

        var error = Assert.Throws<StartupException>(() => AdminToken.Provision(null, folder.Path));

        Assert.Contains(folder.File(AdminToken.FileName), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rotated_token_is_kept_and_the_former_one_ends_after_its_grace_also_over_a_restart()
    {
        using var folder = new ScratchFolder();
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddDays(20_000));
        var token = AdminToken.Provision(null, folder.Path, time: time);
        var old = token.Value;

        var made = token.Rotate(old, time.GetUtcNow().AddMinutes(1))!;

        Assert.Matches("^zap_admin_[0-9A-Za-z]{43}$", made);
        var restarted = AdminToken.Provision(null, folder.Path, time: time);
        foreach (var one in (AdminToken[])[token, restarted])
        {
            Assert.True(one.Matches(old) && one.Matches(made) && one.IsFormer(old) && !one.IsFormer(made));
            Assert.Null(one.Rotate(old, time.GetUtcNow().AddDays(1)));
        }

        time.Advance(TimeSpan.FromMinutes(1));
        foreach (var one in (AdminToken[])[token, restarted]) Assert.True(!one.Matches(old) && one.Matches(made));
        Assert.Equal(made + "\n", File.ReadAllText(folder.File(AdminToken.FileName)));
        foreach (var file in Directory.GetFiles(folder.Path))
        {
            Assert.DoesNotContain(old, File.ReadAllText(file), StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("00 1")]
    [InlineData("GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG 9")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000 99999999999999999999")]
    public void What_cannot_be_read_of_a_former_one_is_none(string text)
    {
        using var folder = new ScratchFolder();
        var value = AdminToken.Provision(null, folder.Path).Value;
        File.WriteAllText(folder.File(AdminToken.FileName + ".former"), text);

        Assert.True(AdminToken.Provision(null, folder.Path).Matches(value));
    }

    [Fact]
    public void Of_many_rotations_at_once_one_happens()
    {
        using var folder = new ScratchFolder();
        var token = AdminToken.Provision(null, folder.Path);
        var old = token.Value;

        var made = new string?[8];
        Parallel.For(0, made.Length, i => made[i] = token.Rotate(old, DateTimeOffset.UnixEpoch));

        Assert.True(token.Matches(Assert.Single(made, one => one is not null)!));
        Assert.False(token.Matches(old));
    }

    [Fact]
    public void A_given_token_may_have_a_former_one()
    {
        var token = AdminToken.Provision("a-token-of-mine", dataDirectory: "", "the-one-before");

        Assert.True(token.Matches("a-token-of-mine") && token.Matches("the-one-before"));
    }
}
