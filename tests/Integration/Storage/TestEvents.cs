using System.Text;
using System.Text.Json;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>Makes events as the journal would hand them over.</summary>
internal sealed class TestEvents(int organizationNo, DateTimeOffset? at = null)
{
    private readonly EventIdGenerator _ids = new(default);

    public int OrganizationNo => organizationNo;

    /// <summary>Unix milliseconds of the next event.</summary>
    public long UnixMilliseconds { get; set; } = (at ?? StoreFixture.Noon).ToUnixTimeMilliseconds();

    public JournaledEvent Next(
        string type = "user.created",
        string payload = """{"user_id":"12345"}""",
        string dedupId = "",
        string orderingKey = "") =>
        Next(Encoding.UTF8.GetBytes(type), Encoding.UTF8.GetBytes(payload), dedupId, orderingKey);

    /// <summary>The trace that <see cref="Traced"/> gives.</summary>
    public static TraceParent Trace { get; } = new(0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7, 1);

    /// <summary>An event with a trace.</summary>
    public JournaledEvent Traced() => Next("t", "{}") with { TraceParent = Trace };

    public JournaledEvent Next(byte[] type, byte[] payload, string dedupId = "", string orderingKey = "") => new()
    {
        OrganizationNo = organizationNo,
        Id = _ids.Next(UnixMilliseconds),
        PayloadHash = System.IO.Hashing.XxHash3.HashToUInt64(payload),
        Type = type,
        DedupId = Encoding.UTF8.GetBytes(dedupId),
        OrderingKey = Encoding.UTF8.GetBytes(orderingKey),
        Payload = payload,
    };

    public JournaledEvent[] Many(int count) => [.. Enumerable.Range(0, count).Select(number => Next(payload: $$"""{"n":{{number}}}"""))];

    /// <summary>
    /// Types and payloads of real webhooks, byte for byte, from <c>shared/data</c> in or above the repository; where that is not there, a
    /// few made ones with what usually breaks: large numbers, odd spacing, escapes, surrogates, every control character, 256 KiB.
    /// </summary>
    public static IReadOnlyList<(byte[] Type, byte[] Payload)> Samples()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var file = Path.Combine(directory.FullName, "shared", "data", "github-events.ndjson");
            if (File.Exists(file)) return [.. File.ReadLines(file).Where(line => line.Length > 0).Select(Split), .. Made];
        }

        TestContext.Current.TestOutputHelper?.WriteLine("shared/data/github-events.ndjson is not here: made payloads alone are used.");
        return Made;
    }

    private static (byte[] Type, byte[] Payload)[] Made =>
    [
        Sample("""{"n":12345678901234567890.000001e-400, "b" :1 , "b":2}"""),
        Sample("""{"text":"\u0000\ud83d\ude00 😀 \"\\ \/"}"""),
        Sample("{\"raw\":\"\u007f\u0085\u2028\ufeff\"}"),
        Sample($$"""{"large":"{{new string('x', 262_100)}}"}"""),
        Sample("{}"),
    ];

    private static (byte[] Type, byte[] Payload) Sample(string payload) => ("größe.geändert"u8.ToArray(), Encoding.UTF8.GetBytes(payload));

    private static (byte[] Type, byte[] Payload) Split(string line)
    {
        using var document = JsonDocument.Parse(line);
        var type = document.RootElement.GetProperty("type").GetString()!;
        return (Encoding.UTF8.GetBytes(type), Encoding.UTF8.GetBytes(document.RootElement.GetProperty("payload").GetRawText()));
    }
}
