using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Tests.Crash.Infrastructure;

/// <summary>
/// A data directory with several segments of which the store has nothing: its server was killed while another process kept SQLite locked.
/// Made once for all tests of a class, which work on copies.
/// </summary>
public sealed class UnstoredJournal : IAsyncLifetime
{
    private const int FrameStart = 64;
    private readonly Dictionary<string, List<string>> _segments = new(StringComparer.Ordinal);
    private Scene? _scene;

    /// <summary>Ids of all events that were accepted, in order.</summary>
    internal IReadOnlyList<string> Accepted { get; private set; } = [];

    /// <summary>Segment file names in order.</summary>
    internal IReadOnlyList<string> Segments => [.. _segments.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The organization that sent them.</summary>
    internal Tenant Tenant => _scene!.Tenant;

    /// <summary>Ids of a segment's events, in order.</summary>
    internal IReadOnlyList<string> EventsIn(string segment) => _segments[segment];

    /// <summary>Byte offset of a segment's n-th frame.</summary>
    internal static int OffsetOfFrame(byte[] segment, int n)
    {
        var offset = FrameStart;
        for (; n > 0; n--) offset += Frame.PeekLength(segment.AsSpan(offset));
        return offset;
    }

    /// <summary>A copy to damage, and a server's setup on it.</summary>
    internal (DirectoryCopy Copy, ServerSetup Setup) Copy()
    {
        var copy = new DirectoryCopy(_scene!.Setup.DataDirectory);
        return (copy, new ServerSetup { DataDirectory = copy.Path, Settings = _scene.Setup.Settings });
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _scene = await Scene.CreateAsync(new SceneSettings
        {
            Store = StoreKind.Sqlite,
            AckWhen = "journaled",
            Seed = 1,
            Settings = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Journal__RingBytes"] = "1MiB",
                ["Journal__SegmentBytes"] = "1MiB",
                ["DISABLE_WEBHOOK_DELIVERY"] = "true",
            },
        });
        var journal = Path.Combine(_scene.Setup.DataDirectory, "journal");
        await using (var connection = await _scene.OpenSqliteAsync())
        {
            await using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE";
            await command.ExecuteNonQueryAsync();
            _scene.StartLoad();
            await Poll.UntilAsync(() => Directory.GetFiles(journal, "*.segment").Length >= 4, TimeSpan.FromMinutes(1), "four segments");
            await _scene.EndLoadAsync();
            await _scene.Server.KillAsync();
        }

        Read(journal);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_scene is not null) await _scene.DisposeAsync();
    }

    private void Read(string journal)
    {
        foreach (var path in Directory.GetFiles(journal, "*.segment"))
        {
            var bytes = File.ReadAllBytes(path);
            var ids = new List<string>();
            for (var offset = FrameStart; offset + Frame.FixedLength < bytes.Length && Frame.PeekLength(bytes.AsSpan(offset)) > 0; offset += Frame.PeekLength(bytes.AsSpan(offset)))
            {
                var low = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(offset + 32));
                ids.Add(new EventId(Frame.PeekPosition(bytes.AsSpan(offset)), low).ToString());
            }

            _segments[Path.GetFileName(path)] = ids;
        }

        Accepted =
            [.. _scene!.Ledger.Entries.Where(entry => entry.Status == 202).Select(entry => entry.Id).Order().Select(id => id.ToString())];
    }
}
