using System.IO.Hashing;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Dedup;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Tests.Unit.Sequencing;
using ZapierTriggers.Tests.Unit.Simulation;
using ZapierTriggers.Tests.Unit.Storing;

namespace ZapierTriggers.Tests.Unit.Dedup;

/// <summary>
/// A window of 1,000 entries against 50,000 dedup ids: with kills and restarts, a store that lags or is away, clocks set back, and jumps to
/// one millisecond before, at, and after the end of an id's 24 hours, the answers are those of a plain dictionary. An id counts as long as
/// its first event's time (that of its id) is less than 24 hours ago; the answer may be a refusal only while the store is away.
/// </summary>
public sealed class DedupAgreementTests : IDisposable
{
    private const int Entries = 1_000;
    private const int Submissions = 50_000;
    private const int Organizations = 4;
    private const int MostTurns = 1_000_000;
    private static readonly JournalOptions Journal = new()
    {
        RingBytes = JournalOptions.MinRingBytes,
        SegmentBytes = 4 << 20,
        FlushInterval = TimeSpan.FromMilliseconds(1),
        RetainFor = TimeSpan.Zero,
    };

    private readonly Random _random = new(20260102);
    private readonly Device _device;
    private readonly StoreModel _store = new();
    private readonly Dictionary<(int Organization, string DedupId), List<EventId>> _accepted = [];
    private readonly List<(int Organization, string DedupId)> _known = [];
    private readonly Organization[] _organizations;
    private DateTimeOffset _now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private Life _life = null!;
    private Shard _shard = null!;
    private int _refused;
    private int _duplicates;
    private int _again;
    private Receipt _answer;

    public DedupAgreementTests()
    {
        _device = new Device(_random);
        _organizations = [.. Enumerable.Range(1, Organizations).Select(
            no => ShardUnderTest.NewOrganization(no == 1 ? _now.AddDays(-2) : _now, no))];
    }

    [Fact]
    public void The_server_answers_as_a_dictionary_would()
    {
        Start();
        for (var i = 0; i < Submissions; i++)
        {
            Disturb();
            Submit(i);
        }

        _store.IsAway = false;
        _store.Release();
        Assert.True(_life.RunUntil(() => _shard.Writer.Stored.Position >= _shard.Sequencer.Journaled, MostTurns, () => { }));
        _shard.Dedup.Maintain();
        Assert.True(_life.RunUntil(() => _shard.Dedup.Maintenance.IsCompleted, MostTurns, () => { }));
        Assert.InRange(_shard.Dedup.Count, 0, Entries);
        Assert.True(_duplicates > Submissions / 20, $"{_duplicates} duplicates");
        Assert.True(_again > 10, $"{_again} ids were taken again after their time");
        Assert.True(_refused > 10, $"{_refused} refusals");
    }

    public void Dispose() => _device.Dispose();

    private void Start()
    {
        _life = new Life(0, _random, _device, _now, 0, [], new Trace());
        var directory = _life.OpenDirectory();
        var parts = new ShardParts(_store, _ => { }, _life.Time, NullLogger.Instance) { Host = _life.Host };
        var options = new DedupOptions { MaxEntries = Entries };
        var opening = _life.Host.Run(
            async () => _shard = await Shard.OpenAsync(directory, parts, Journal, new IngestOptions(), options, CancellationToken.None));
        Assert.True(_life.RunUntil(() => opening.IsCompleted, MostTurns, () => { }));
        Assert.True(opening.IsCompletedSuccessfully, opening.Exception?.ToString());
    }

    private void Disturb()
    {
        switch (_random.Next(400))
        {
            case 0:
                _store.Hold();
                break;
            case < 8:
                _store.Release();
                break;
            case 8:
                _store.IsAway = !_store.IsAway;
                break;
            case < 20:
                _store.IsAway = false;
                break;
            case 20 when _random.Next(4) == 0:
                _now = _life.Time.GetUtcNow().AddMilliseconds(_random.Next(-3_000, 1_000));
                _store.IsAway = false;
                Start(); // the one before is simply dead
                break;
            default:
                break;
        }
    }

    private void Submit(int number)
    {
        var (no, dedupId) = Next();
        var organization = _organizations[no - 1];
        var payload = Encoding.UTF8.GetBytes($"{{\"n\":{number}}}");
        var item = new JournaledEvent
        {
            OrganizationNo = no,
            Id = default,
            PayloadHash = XxHash3.HashToUInt64(payload),
            Type = "t"u8.ToArray(),
            DedupId = Encoding.UTF8.GetBytes(dedupId),
            OrderingKey = default,
            Payload = payload,
        };
        var now = _life.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var submitting = _life.Host.Run(
            async () => _answer = await _shard.Admission.SubmitAsync(organization, item, CancellationToken.None));
        Assert.True(_life.RunUntil(() => submitting.IsCompleted, MostTurns, () => { }));
        if (submitting.IsFaulted)
        {
            Assert.Equal(StoreFailure.Unavailable, Assert.IsType<StoreException>(submitting.Exception.InnerException).Failure);
            Assert.True(_store.IsAway);
            _refused++;
            return;
        }

        // A clock that was set back can bring the first of two within the 24 hours again; the newer one is named.
        var accepted = _accepted.GetValueOrDefault((no, dedupId), []);
        var live = accepted.Where(id => now - id.UnixMilliseconds < DedupWindow.LengthMs).ToList();
        if (live.Count > 0)
        {
            Assert.Equal((ReceiptKind.Duplicate, live[^1]), (_answer.Kind, _answer.Id));
            _duplicates++;
            return;
        }

        Assert.Equal(ReceiptKind.Accepted, _answer.Kind);
        if (accepted.Count > 0) _again++;
        else _known.Add((no, dedupId));
        accepted.Add(_answer.Id);
        _accepted[(no, dedupId)] = accepted;
    }

    /// <summary>A new id, a recent one, an old one, or one whose 24 hours end just now.</summary>
    private (int Organization, string DedupId) Next()
    {
        if (_known.Count > 0 && _random.Next(2_000) == 0)
        {
            var due = _known[_random.Next(_known.Count)];
            var end = _accepted[due][^1].UnixMilliseconds + DedupWindow.LengthMs + _random.Next(-1, 2);
            var wait = end - _life.Time.GetUtcNow().ToUnixTimeMilliseconds();
            if (wait > 0) _life.Time.Advance(TimeSpan.FromMilliseconds(wait));
            return due;
        }

        return _random.Next(10) switch
        {
            0 when _known.Count > 0 => _known[^_random.Next(1, Math.Min(_known.Count, 50) + 1)],
            1 when _known.Count > 0 => _known[_random.Next(_known.Count)],
            _ => (_random.Next(1, Organizations + 1), $"d-{_random.Next(Submissions)}"),
        };
    }
}
