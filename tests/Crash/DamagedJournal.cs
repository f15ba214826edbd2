using System.Text.Json;
using ZapierTriggers.Tests.Crash.Infrastructure;

namespace ZapierTriggers.Tests.Crash;

/// <summary>
/// Segments that are damaged between stop and start, at the real program: what it says, that the remedy in its words works when it is
/// followed to the letter, and that exactly the events of the damaged place are missing afterwards.
/// </summary>
public sealed class DamagedJournal(UnstoredJournal journal) : IClassFixture<UnstoredJournal>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // Neither the first nor the newest: the damage is in the middle.
    private string Middle => journal.Segments[1];

    [Fact]
    public async Task A_damaged_payload_costs_that_event()
    {
        await using var place = Damage(bytes => bytes[UnstoredJournal.OffsetOfFrame(bytes, 21) - 32] ^= 1);
        await using var server = await ServerProcess.StartReadyAsync(place.Setup);
        await HoldAsync(server, journal.EventsIn(Middle).Skip(20).Take(1));
        Assert.Contains("damaged payload", server.Output, StringComparison.Ordinal);
        Assert.Contains("\"zapier_events_set_aside\":1,", await FiguresAsync(server), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_frame_header_costs_the_rest_of_its_segment_until_an_operator_knows()
    {
        await using var place = Damage(bytes => bytes[UnstoredJournal.OffsetOfFrame(bytes, 20) + 40] ^= 1);
        await using var server = await ServerProcess.StartReadyAsync(place.Setup);
        await HoldAsync(server, journal.EventsIn(Middle).Skip(20));
        await HoldAcknowledgementAsync(server);
    }

    [Fact]
    public async Task A_truncated_segment_costs_its_rest()
    {
        await using var place = Damage(path =>
        {
            var length = UnstoredJournal.OffsetOfFrame(File.ReadAllBytes(path), 30) + 100;
            using var file = File.OpenWrite(path);
            file.SetLength(length);
        });
        await using var server = await ServerProcess.StartReadyAsync(place.Setup);
        await HoldAsync(server, journal.EventsIn(Middle).Skip(30));
        await HoldAcknowledgementAsync(server);
    }

    [Fact]
    public async Task Zeros_where_the_first_frame_was_refuse_the_start_until_the_operator_consents()
    {
        await using var place = Damage(bytes => bytes.AsSpan(64, 64).Clear());
        await ConsentAsync(await FailAsync(place.Setup));
        await using var server = await ServerProcess.StartReadyAsync(place.Setup);
        await HoldAsync(server, journal.EventsIn(Middle));
    }

    [Fact]
    public async Task A_missing_segment_refuses_the_start_until_it_is_back_or_the_operator_consents()
    {
        await using var place = Damage((string path) => File.Move(path, path + ".away"));
        var line = await FailAsync(place.Setup);
        await ConsentAsync(line);
        await using var server = await ServerProcess.StartReadyAsync(place.Setup);
        await HoldAsync(server, journal.EventsIn(Middle));
    }

    [Theory]
    [InlineData("header")]
    [InlineData("empty")]
    public async Task A_segment_without_a_sound_header_is_moved_away_and_consented_to(string kind)
    {
        await using var place = kind == "empty" ? Damage((string path) => File.WriteAllBytes(path, [])) : Damage(bytes => bytes[20] ^= 1);
        var line = await FailAsync(place.Setup);
        Assert.Contains(place.Segment, line, StringComparison.Ordinal);
        Assert.Contains("move it away", line, StringComparison.Ordinal);
        File.Move(place.Segment, Path.Combine(place.Setup.DataDirectory, "away"));
        await ConsentAsync(await FailAsync(place.Setup));
        await using var server = await ServerProcess.StartReadyAsync(place.Setup);
        await HoldAsync(server, journal.EventsIn(Middle));
    }

    [Fact]
    public async Task A_segment_of_a_newer_version_refuses_the_start_and_is_left_alone()
    {
        await using var place = Damage(bytes => bytes[8] = byte.MaxValue);
        var line = await FailAsync(place.Setup);
        Assert.Contains(place.Segment, line, StringComparison.Ordinal);
        Assert.Contains("newer version", line, StringComparison.Ordinal);
        Assert.True(File.Exists(place.Segment));
    }

    [Fact]
    public async Task A_segment_of_another_directory_refuses_the_start_until_it_is_moved_back()
    {
        await using var place = Damage((string path) =>
        {
            var bytes = File.ReadAllBytes(path);
            bytes[40]++;
            File.WriteAllBytes(path.Replace("-0000", "-0009", StringComparison.Ordinal), bytes);
        });
        var foreign = place.Segment.Replace("-0000", "-0009", StringComparison.Ordinal);
        var line = await FailAsync(place.Setup);
        Assert.Contains(foreign, line, StringComparison.Ordinal);
        Assert.Contains("another data directory", line, StringComparison.Ordinal);
        File.Delete(foreign);
        await using var server = await ServerProcess.StartReadyAsync(place.Setup);
        await HoldAsync(server, []);
    }

    private DamagedPlace Damage(Action<byte[]> change) => Damage((string path) =>
    {
        var bytes = File.ReadAllBytes(path);
        change(bytes);
        File.WriteAllBytes(path, bytes);
    });

    private DamagedPlace Damage(Action<string> change)
    {
        var (copy, setup) = journal.Copy();
        var segment = Path.Combine(copy.Path, "journal", Middle);
        change(segment);
        return new DamagedPlace(copy, setup, segment);
    }

    /// <summary>Asserts that all accepted events are there but these.</summary>
    private async Task HoldAsync(ServerProcess server, IEnumerable<string> missing)
    {
        using var client = new HttpClient { BaseAddress = server.Setup.Address };
        client.DefaultRequestHeaders.Add("X-API-Key", journal.Tenant.Key);
        var stored = await new Load.Core.Verdict.InboxReader(client).ReadAsync().Select(item => item.Id.ToString()).ToListAsync();
        Assert.Equal(journal.Accepted.Except(missing, StringComparer.Ordinal), stored.Intersect(journal.Accepted, StringComparer.Ordinal));
    }

    /// <summary>The server takes events, says that there is a gap, and says it no more once the file is there that it names.</summary>
    private static async Task HoldAcknowledgementAsync(ServerProcess server)
    {
        using var ready = JsonDocument.Parse(await server.ReadyTextAsync());
        Assert.Equal("ready", ready.RootElement.GetProperty("status").GetString());
        var reason = ready.RootElement.GetProperty("reasons")[0].GetString()!;
        Assert.Contains("1 gap(s)", reason, StringComparison.Ordinal);
        await ConsentAsync(reason);
        Assert.DoesNotContain("gap", await server.ReadyTextAsync(), StringComparison.Ordinal);
    }

    /// <summary>Makes the file that the text names.</summary>
    private static Task ConsentAsync(string text)
    {
        var file = text.Split(' ').Single(word => word.Contains(".lost", StringComparison.Ordinal)).TrimEnd('.');
        return File.WriteAllTextAsync(file, "");
    }

    private static async Task<string> FailAsync(ServerSetup setup)
    {
        await using var server = ServerProcess.Start(setup);
        Assert.Equal(1, await server.WaitForExitAsync(Limit));
        Assert.StartsWith("Cannot start: ", server.Errors, StringComparison.Ordinal);
        return server.Errors.Trim();
    }

    private static async Task<string> FiguresAsync(ServerProcess server)
    {
        using var client = new HttpClient { BaseAddress = server.Setup.Address };
        return await client.GetStringAsync("/health/detailed");
    }

    /// <summary>A damaged copy.</summary>
    private sealed record DamagedPlace(DirectoryCopy Copy, ServerSetup Setup, string Segment) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Copy.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
