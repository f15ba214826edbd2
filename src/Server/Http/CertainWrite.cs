using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Http;

/// <summary>
/// Writes whose outcome the caller must know. When the reply of a COMMIT is lost the write may have happened; so it is
/// repeated as it is, which the store tells from a new one, until it is certain or a moment has passed.
/// </summary>
internal static class CertainWrite
{
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(1)];

    /// <summary>
    /// Runs an idempotent write. Throws <see cref="StoreException"/> with <see cref="StoreFailure.Unavailable"/> when it is still unknown
    /// whether it happened. Not cancelled when the caller hangs up: what is stored must be known here too.
    /// </summary>
    public static async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> write)
    {
        foreach (var pause in Pauses)
        {
            try
            {
                return await write(CancellationToken.None);
            }
            catch (StoreException away) when (away.Failure == StoreFailure.Unavailable)
            {
                await Task.Delay(pause, TimeProvider.System);
            }
        }

        return await write(CancellationToken.None);
    }
}
