using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Inbox;

/// <summary>
/// Bounds the bytes of all inbox pages in memory. Reads take turns, since nobody knows how large a page will be; a page that has been read
/// counts with its payloads until its last byte is sent, however slow the client.
/// </summary>
internal sealed class PageRoom(long bytes)
{
    private const int LargestPage = InboxPage.EndsAtBytes + EventLimits.MaxPayloadBytes;
    private const int LeastReads = 2;

    private readonly SemaphoreSlim _reads = new((int)Math.Clamp(bytes / LargestPage, LeastReads, 1024));
    private readonly ByteBudget _sending = new(bytes);

    /// <summary>Reads a page, which <see cref="Release"/> must follow; null when others being sent leave no room for it.</summary>
    public async Task<InboxPage?> ReadAsync(IEventStore store, InboxQuery query, CancellationToken cancellationToken)
    {
        await _reads.WaitAsync(cancellationToken);
        try
        {
            var page = await store.ReadInboxAsync(query, cancellationToken);
            return _sending.TryTake(page.PayloadBytes) ? page : null;
        }
        finally
        {
            _reads.Release();
        }
    }

    /// <summary>The page has been sent or given up.</summary>
    public void Release(InboxPage page) => _sending.Return(page.PayloadBytes);
}
