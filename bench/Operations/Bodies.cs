using System.Text;

namespace ZapierTriggers.Bench.Operations;

/// <summary>Request bodies of the sizes and shapes that clients send.</summary>
internal static class Bodies
{
    private const string DataSet = "shared/data/github-events.ndjson";

    private const string Order = """
        {"order_id":"ord_8fK2x","customer":{"id":"cus_91Lq","email":"someone@example.com","name":"Zoë"},
        """ + """
        "items":[{"sku":"A-1","quantity":2,"price":19.99},{"sku":"B-22","quantity":1,"price":5}],"currency":"EUR","total":44.98,
        """ + """
        "paid":true,"coupon":null,"created_at":"2030-01-01T12:00:00.000Z","note":"Leave it at the door, please."}
        """;

    /// <summary>The smallest useful event, about 60 bytes.</summary>
    public static byte[] Small { get; } = """{"type":"user.created","payload":{"user_id":"12345","n":1}}"""u8.ToArray();

    /// <summary>An order with dedup id and ordering key, about 400 bytes.</summary>
    public static byte[] Usual { get; } = Encoding.UTF8.GetBytes(
        $$"""{"type":"order.paid","payload":{{Order}},"dedup_id":"order-8fK2x-paid","ordering_key":"cus_91Lq"}""");

    /// <summary>The same with an escape in each of its fields.</summary>
    public static byte[] Escaped { get; } = Encoding.UTF8.GetBytes(
        $$"""{"type":"order\u002epaid","payload":{{Order}},"dedup_id":"order\/8fK2x","ordering_key":"cus\u005f91Lq"}""");

    /// <summary>The same with members that the contract does not know.</summary>
    public static byte[] UnknownKeys { get; } = Encoding.UTF8.GetBytes(
        $$"""{"type":"order.paid","payload":{{Order}},"source":"shop","version":3,"trace":"abc"}""");

    /// <summary>About 10 KB: a real webhook where the data set is at hand, else orders.</summary>
    public static byte[] Large { get; } = RealEvent()
        ?? Encoding.UTF8.GetBytes($$$"""{"type":"orders","payload":{"orders":[{{{string.Join(',', Enumerable.Repeat(Order, 30))}}}]}}""");

    private static byte[]? RealEvent()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, DataSet);
            if (!File.Exists(path)) continue;
            return File.ReadLines(path).Select(Encoding.UTF8.GetBytes).MinBy(static e => Math.Abs(e.Length - 10_240));
        }

        return null;
    }
}
