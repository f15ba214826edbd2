using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage;

/// <summary>What a store does for the rights of those whose data it holds.</summary>
/// <param name="Retention">Lets expired events go.</param>
/// <param name="Erasures">Erases by request.</param>
/// <param name="Ledger">Accounts for every event.</param>
internal sealed record DataStores(IRetentionStore Retention, IErasureStore Erasures, ILedgerStore Ledger);
