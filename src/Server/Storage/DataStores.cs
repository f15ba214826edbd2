using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Storage;

/// <summary>What a store does for the rights of those whose data it holds, and to account for it.</summary>
/// <param name="Retention">Lets expired events go.</param>
/// <param name="Erasures">Erases by request.</param>
/// <param name="Ledger">Accounts for every event.</param>
/// <param name="Usage">Counts what organizations use.</param>
internal sealed record DataStores(IRetentionStore Retention, IErasureStore Erasures, ILedgerStore Ledger, IUsageStore Usage);
