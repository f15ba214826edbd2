using System.Text;
using System.Text.Json;
using CsCheck;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Tests.Unit.Events;

/// <summary>Real webhooks, where the data set is at hand; generated ones of the same size where it is not.</summary>
public sealed class EventParserDataTests(ITestOutputHelper output)
{
    private const string DataSet = "shared/data/github-events.ndjson";

    [Fact]
    public void Real_events_are_read_and_their_payloads_kept_byte_for_byte()
    {
        foreach (var line in ReadEvents())
        {
            using var document = JsonDocument.Parse(line);
            var parsed = ParsedEvent.Of(line);
            Assert.Equal(EventParseError.None, parsed.Error);
            Assert.Equal(document.RootElement.GetProperty("type").GetString(), parsed.Type);
            Assert.Equal(document.RootElement.GetProperty("payload").GetRawText(), parsed.Payload);
        }
    }

    private IReadOnlyList<string> ReadEvents()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, DataSet);
            if (File.Exists(path)) return File.ReadAllLines(path, Encoding.UTF8);
        }

        output.WriteLine($"{DataSet} is not above the test; reading generated events.");
        return JsonGen.Value.Array[50].Array[100].Single()
            .Select(values => $"{{\"type\":\"t\",\"payload\":{{\"a\":[{string.Join(',', values)}]}}}}").ToList();
    }
}
