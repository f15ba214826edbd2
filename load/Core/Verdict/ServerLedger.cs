using System.Net.Http.Json;
using System.Text.Json;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>
/// Where the server says that an organization's events are (<c>GET /api/ledger</c>). It counts rows for that: not to be asked often for
/// millions of them.
/// </summary>
/// <param name="Accepted">All that were accepted.</param>
/// <param name="Pending">Neither delivered nor given up nor acknowledged, those that are tried again among them.</param>
/// <param name="Retrying">Of these, the ones that are tried again.</param>
/// <param name="Delivered">Delivered and not acknowledged.</param>
/// <param name="Acknowledged">Acknowledged.</param>
/// <param name="Dead">Dead letters, not acknowledged.</param>
/// <param name="Gone">Set aside, expired or erased: not in the inbox.</param>
/// <param name="IsBalanced">Whether the server finds that its numbers add up.</param>
internal sealed record ServerLedger(
    long Accepted, long Pending, long Retrying, long Delivered, long Acknowledged, long Dead, long Gone, bool IsBalanced)
{
    /// <summary>
    /// Of those accepted, the ones that the server itself has told (<see cref="OwnEvents"/>); 0 where that was not asked.
    /// </summary>
    public long Operational { get; init; }

    /// <summary>Asks the server.</summary>
    /// <param name="client">A client with the server's address and the organization's key.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task<ServerLedger> ReadAsync(HttpClient client, CancellationToken stop)
    {
        var json = await client.GetFromJsonAsync<JsonElement>("/api/ledger", stop);
        return new ServerLedger(
            Of("accepted"), Of("pending"), Of("retrying"), Of("delivered"), Of("acknowledged"), Of("dead"),
            Of("set_aside") + Of("expired") + Of("erased"), json.GetProperty("balanced").GetBoolean());

        long Of(string name) => json.GetProperty(name).GetInt64();
    }

    /// <summary>The same with <see cref="Operational"/>, both of one moment: none is told in between.</summary>
    public static async Task<ServerLedger> ReadWithOperationalAsync(HttpClient client, CancellationToken stop)
    {
        var before = await CountOperationalAsync(client, stop);
        while (true)
        {
            var ledger = await ReadAsync(client, stop);
            var after = await CountOperationalAsync(client, stop);
            if (after == before) return ledger with { Operational = after };
            before = after;
        }
    }

    /// <summary>What has come since an earlier reading.</summary>
    public ServerLedger Since(ServerLedger before) => new(
        Accepted - before.Accepted, Pending - before.Pending, Retrying - before.Retrying, Delivered - before.Delivered,
        Acknowledged - before.Acknowledged, Dead - before.Dead, Gone - before.Gone, IsBalanced)
    {
        Operational = Operational - before.Operational,
    };

    private static async Task<long> CountOperationalAsync(HttpClient client, CancellationToken stop)
    {
        var count = 0L;
        foreach (var type in OwnEvents.Types)
        {
            var page = await client.GetFromJsonAsync<JsonElement>($"/api/inbox?limit=1&include=total&type={type}", stop);
            count += page.GetProperty("total").GetInt64();
        }

        return count;
    }
}
