using System.Text;
using System.Text.Json;

namespace ZapierTriggers.Load.Core.Bodies;

/// <summary>Where templates come from: a file of real events, or a generator.</summary>
internal static class EventTemplates
{
    private const string SharedFile = "shared/data/github-events.ndjson";
    private const int GeneratedCount = 16; // Enough that neighbours differ, few enough to stay in the cache.

    /// <summary>The file of real events, searched upwards from the working and the program's directory; null if there is none.</summary>
    public static string? FindShared() => FindAbove(Directory.GetCurrentDirectory()) ?? FindAbove(AppContext.BaseDirectory);

    /// <summary>Reads a file with one event request (an object with <c>type</c> and <c>payload</c>) a line.</summary>
    /// <exception cref="InvalidDataException">A line is no such object, or there is no line at all.</exception>
    public static IReadOnlyList<EventTemplate> Load(string path)
    {
        var templates = File.ReadLines(path).Where(line => line.Length > 0).Select((line, index) => Parse(line, path, index + 1)).ToList();
        return templates.Count > 0 ? templates : throw new InvalidDataException($"{path} holds no event.");
    }

    /// <summary>Makes events whose payload is about <paramref name="size"/> bytes; the same seed gives the same bytes.</summary>
    public static IReadOnlyList<EventTemplate> Generate(int size, int seed) =>
        [.. Enumerable.Range(0, GeneratedCount).Select(index => Generate(size, new Random(HashCode.Combine(seed, 1, index)), index))];

    private static EventTemplate Generate(int size, Random random, int index)
    {
        const string Letters = "abcdefghijklmnopqrstuvwxyz0123456789";
        var (user, amount) = (random.Next(100_000, 1_000_000), random.Next(100, 1000));
        var head = $$"""{"user_id":"{{user}}","note":"h\u00e9llo \ud83d\udc4b","amount":{{amount}}.10,"text":" """.TrimEnd();
        var filler = new string(random.GetItems<char>(Letters, Math.Max(1, size - Encoding.UTF8.GetByteCount(head) - 2)));
        return new EventTemplate($"load.kind_{index}", Encoding.UTF8.GetBytes(head + filler + "\"}"));
    }

    private static EventTemplate Parse(string line, string path, int number)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var payload = document.RootElement.GetProperty("payload");
            if (payload.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{path}, line {number}: payload is no object.");
            return new EventTemplate(document.RootElement.GetProperty("type").GetString()!, Encoding.UTF8.GetBytes(payload.GetRawText()));
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path}, line {number} is no event with type and payload: {exception.Message}", exception);
        }
    }

    private static string? FindAbove(string directory)
    {
        for (var at = new DirectoryInfo(directory); at is not null; at = at.Parent)
        {
            var path = Path.Combine(at.FullName, SharedFile);
            if (File.Exists(path)) return path;
        }

        return null;
    }
}
