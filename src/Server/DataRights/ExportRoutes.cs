using System.Globalization;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Inbox;

namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// <c>GET /api/export</c>: all matching events that were accepted before the call, oldest first, as one stream. Two pages are in memory at
/// the most, one being read while the other is sent, as fast as the client takes it. An error in the middle cuts the connection: a file
/// that ends is whole.
/// </summary>
internal sealed class ExportRoutes(
    IEventStore store,
    Authentication authentication,
    StoredBarrier barrier,
    PageRoom room,
    Func<Organization, EventId?> cutoffOf,
    TimeProvider time)
{
    private const int PageSize = 1000;
    private static readonly TimeSpan RoomPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Adds the route.</summary>
    public void Map(RouteTable routes) =>
        routes.Map(HttpMethods.Get, "/api/export", RouteAccess.InboxRead, StorageAnswers.Guard((context, _) => ExportAsync(context)));

    private async Task ExportAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.InboxRead) is not { } key) return;
        if (ExportParameters.Read(context.Request.Query, out var error) is not { } parameters)
        {
            await error!.AnswerAsync(context);
            return;
        }

        if (!await barrier(key.Organization, context.RequestAborted))
        {
            await StorageAnswers.UnavailableAsync(context);
            return;
        }

        // The first page is read before the first byte goes out, so that a store that is away is told by a status.
        var query = parameters.Query(key.Organization, cutoffOf(key.Organization), time.GetUtcNow()) with { Limit = PageSize };
        var first = await ReadAsync(query, context.RequestAborted);
        var response = context.Response;
        response.ContentType = parameters.Format.ContentType;
        response.Headers.ContentDisposition = string.Create(
            CultureInfo.InvariantCulture, $"attachment; filename=\"events-{time.GetUtcNow():yyyyMMdd-HHmmss}.{parameters.Format.Name}\"");
        if (HttpMethods.IsHead(context.Request.Method)) room.Release(first);
        else await WriteAsync(context, query, first, parameters.Format);
    }

    private async Task WriteAsync(HttpContext context, InboxQuery query, InboxPage page, ExportFormat format)
    {
        var (output, stop) = (context.Response.BodyWriter, context.RequestAborted);
        using var writer = format.Begin(output);
        Task<InboxPage>? next = null;
        try
        {
            while (true)
            {
                try
                {
                    next = page.HasMore ? ReadAsync(query with { Cursor = page.Events[^1].Id }, stop) : null;
                    foreach (var stored in page.Events)
                    {
                        writer.Write(stored);
                        if (writer.IsFull) await output.FlushAsync(stop);
                        stop.ThrowIfCancellationRequested();
                    }
                }
                finally
                {
                    room.Release(page);
                }

                if (next is null) break;
                page = await next;
                next = null;
            }

            writer.End();
            await output.FlushAsync(stop);
        }
        finally
        {
            if (next is not null) _ = ReleaseAsync(next);
        }
    }

    /// <summary>Waits for room as for anything else that is slow: the client waits along.</summary>
    private async Task<InboxPage> ReadAsync(InboxQuery query, CancellationToken stop)
    {
        while (true)
        {
            if (await room.ReadAsync(store, query, stop) is { } page) return page;
            await Task.Delay(RoomPause, time, stop);
        }
    }

    private async Task ReleaseAsync(Task<InboxPage> read)
    {
        await ((Task)read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (read.IsCompletedSuccessfully) room.Release(await read);
    }
}
