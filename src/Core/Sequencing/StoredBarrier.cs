using ZapierTriggers.Core.Accounts;

namespace ZapierTriggers.Core.Sequencing;

/// <summary>
/// Waits until everything accepted for the organization so far is in the store, at most 2 s; false when it is not by then (answer 503).
/// This is how reads see what
/// was answered before them.
/// </summary>
internal delegate ValueTask<bool> StoredBarrier(Organization organization, CancellationToken cancellationToken);
