using System.IO.Hashing;
using System.Text;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Unit.Simulation;

/// <summary>
/// The clients: they send events one after the other, some with dedup ids that were sent before, note what came back, and read what they
/// were answered. They outlive the server's process.
/// </summary>
internal sealed class Producers(Scenario scenario, Random random, SimulatedStore store, DateTimeOffset begin)
{
    private const int LargestPayload = 250_000;
    private static readonly byte[] Filler = [.. Enumerable.Range(0, LargestPayload + 64).Select(static i => (byte)('a' + (i * 7 % 26)))];

    private readonly int[] _left = [.. Enumerable.Repeat(scenario.EventsEach, scenario.Producers)];

    /// <summary>Everything sent so far.</summary>
    public List<Sending> Sent { get; } = [];

    /// <summary>What was found wrong while running; null = nothing.</summary>
    public string? Violation { get; private set; }

    /// <summary>Starts them on a server that has just become ready; the task ends when all has been sent and answered.</summary>
    public Task Start(Life life, Shard shard)
    {
        var organizations = Enumerable.Range(1, 3).Select(Organization).ToArray();
        _ = life.Host.Run(() => ReadAsync(life, shard, organizations));
        return Task.WhenAll(
            Enumerable.Range(0, _left.Length).Select(producer => life.Host.Run(() => ProduceAsync(life, shard, organizations, producer))));
    }

    private async Task ProduceAsync(Life life, Shard shard, Organization[] organizations, int producer)
    {
        while (_left[producer] > 0)
        {
            _left[producer]--;
            var organization = organizations[random.Next(organizations.Length)];
            var (sending, item) = Next(organization.No);
            Sent.Add(sending);
            Receipt receipt;
            try
            {
                receipt = await shard.Admission.SubmitAsync(organization, item, CancellationToken.None);
            }
            catch (StoreException)
            {
                receipt = Receipt.Unavailable;
            }

            if (life.IsDead) return; // it died before the answer was out
            sending.Receipt = receipt;
            if (random.Next(3) == 0 || sending.IsRefused) await life.PassAsync(400);
        }
    }

    /// <summary>A reader sees what was answered before it began to read.</summary>
    private async Task ReadAsync(Life life, Shard shard, Organization[] organizations)
    {
        for (var reads = 0; reads < 20; reads++)
        {
            await life.PassAsync(300);
            var organization = organizations[random.Next(organizations.Length)];
            var answered = Sent.Where(
                sending => sending is { IsAnswered: true, IsExcused: false } && sending.OrganizationNo == organization.No)
                .Select(static sending => sending.Receipt!.Value.Id).ToList();
            if (!await shard.WaitStoredAsync(organization, CancellationToken.None) || life.IsDead) continue;
            var there = store.Events.Concat(store.Quarantined).Select(static row => row.Id).ToHashSet();
            if (answered.Find(id => !there.Contains(id)) is { } missing && missing != default)
                Violation ??= $"{missing} was answered, and a read behind the barrier does not see it";
        }
    }

    private (Sending Sending, JournaledEvent Item) Next(int organizationNo)
    {
        var dedupId = random.Next(3) == 0 ? "" : $"d-{random.Next(scenario.DedupIds)}";
        var type = scenario.HasRefusedRows && random.Next(4) == 0 ? "refused" : "order.created";
        var orderingKey = random.Next(2) == 0 ? "" : "customer";
        var length = scenario.HasLargePayloads && random.Next(3) == 0 ? random.Next(LargestPayload) : random.Next(400);
        byte[] payload = [.. Encoding.UTF8.GetBytes($"{{\"n\":{Sent.Count},\"f\":\""), .. Filler.AsSpan(0, length), (byte)'"', (byte)'}'];
        var hash = XxHash3.HashToUInt64(payload);
        var trace = Sent.Count % 2 == 0 ? default : new TraceParent(hash, 1, hash | 1, 1);
        return (new Sending(organizationNo, type, dedupId, orderingKey, hash, trace), new JournaledEvent
        {
            OrganizationNo = organizationNo,
            Id = default,
            PayloadHash = hash,
            Type = Encoding.UTF8.GetBytes(type),
            DedupId = Encoding.UTF8.GetBytes(dedupId),
            OrderingKey = Encoding.UTF8.GetBytes(orderingKey),
            Payload = payload,
            TraceParent = trace,
        });
    }

    /// <summary>The first is old: its dedup ids may be known to the store alone.</summary>
    private Organization Organization(int no) => new(new OrganizationRecord
    {
        No = no,
        Id = Guid.Empty,
        Name = "o",
        Tier = "free",
        RateLimitPerMinute = null,
        Route = "AAAAAAAA",
        CreatedAt = no == 1 ? begin.AddDays(-2) : begin,
        UpdatedAt = begin,
    });
}
