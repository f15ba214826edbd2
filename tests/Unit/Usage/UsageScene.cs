using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Usage;
using ZapierTriggers.Server.Usage;

namespace ZapierTriggers.Tests.Unit.Usage;

/// <summary>One organization of the tier free, a quota of 10, and a clock that is set by hand.</summary>
internal sealed class UsageScene
{
    public static readonly DateTimeOffset Start = new(2028, 2, 28, 12, 0, 0, TimeSpan.Zero);

    public UsageScene()
    {
        var record = NewAccount.Organization("Acme", Tier.Default, Start);
        var (key, _) = NewAccount.Key(record, live: true, "default", "events:write", Start);
        Accounts = new AccountDirectory(Time);
        Accounts.Add(record, key);
        Organization = Accounts.FindByNo(record.No)!;
        Quotas = new MonthlyQuotas(new QuotaOptions { Enabled = true, Free = 10 }, Accounts, Time);
        Teller = NewTeller();
        Upkeep = new UsageUpkeep(Accounts, Store, Quotas, Teller, Guid.Empty, Time, NullLogger<UsageUpkeep>.Instance);
    }

    public FakeTimeProvider Time { get; } = new(Start);

    public MemoryUsageStore Store { get; } = new();

    public AccountDirectory Accounts { get; }

    public Organization Organization { get; }

    public MonthlyQuotas Quotas { get; }

    public UsageTeller Teller { get; }

    public UsageUpkeep Upkeep { get; }

    public bool IsTaken { get; set; } = true;

    public List<OperationalEvent> Told { get; } = [];

    /// <summary>What another process, or this one after a restart, tells with.</summary>
    public UsageTeller NewTeller() => new(Accounts, Quotas, Store, TellAsync, Time, NullLogger<UsageTeller>.Instance);

    private Task<bool> TellAsync(OperationalEvent told)
    {
        if (IsTaken) Told.Add(told);
        return Task.FromResult(IsTaken);
    }
}
