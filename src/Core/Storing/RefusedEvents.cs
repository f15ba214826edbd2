using System.Text;
using System.Text.Json;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Journal;

namespace ZapierTriggers.Core.Storing;

/// <summary>
/// The last place for an event that the store takes neither as a row nor into its quarantine: a file of its own in the data directory,
/// <c>refused-&lt;id&gt;.json</c>, on the disk before the checkpoint passes the event. Everything of the event is in it, the payload as
/// base64, with the reasons.
/// </summary>
/// <param name="directory">The data directory.</param>
internal sealed class RefusedEvents(DataDirectory directory)
{
    /// <summary>How the files are named, for messages.</summary>
    public string Pattern => Path.Combine(directory.Path, "refused-*.json");

    /// <summary>An event's file.</summary>
    public static string PathOf(DataDirectory directory, EventId id) => Path.Combine(directory.Path, $"refused-{id}.json");

    /// <summary>
    /// Keeps the event; once more does no harm. Returns the file's path. Throws <see cref="IOException"/> or
    /// <see cref="UnauthorizedAccessException"/> when the disk does not take it.
    /// </summary>
    public string Keep(in JournaledEvent refused, string reason)
    {
        var path = PathOf(directory, refused.Id);
        var temporary = path + ".new";
        directory.Disk.Delete(temporary);
        using (var file = directory.Disk.Create(temporary))
        {
            file.Write(Encode(refused, reason), 0);
            file.SyncData();
        }

        directory.Disk.Move(temporary, path);
        directory.Disk.SyncDirectory(directory.Path);
        return path;
    }

    /// <summary>Deletes the files of those of an organization's events that are meant, by id and payload.</summary>
    public void Erase(int organizationNo, Func<EventId, ReadOnlyMemory<byte>, bool> isMeant)
    {
        foreach (var path in directory.Disk.List(directory.Path, ".json").ToList())
        {
            if (!Path.GetFileName(path).StartsWith("refused-", StringComparison.Ordinal)) continue;
            using var file = directory.Disk.Open(path);
            var bytes = new byte[file.Length];
            var read = 0;
            while (file.Read(bytes.AsSpan(read), read) is > 0 and var more) read += more;
            using var document = JsonDocument.Parse(bytes.AsMemory(0, read));
            var root = document.RootElement;
            if (root.GetProperty("organization_no"u8).GetInt32() != organizationNo) continue;
            if (!EventId.TryParse(root.GetProperty("id"u8).GetString(), out var id)) continue;
            if (isMeant(id, root.GetProperty("payload_base64"u8).GetBytesFromBase64())) directory.Disk.Delete(path);
        }
    }

    private static byte[] Encode(in JournaledEvent refused, string reason)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, refused.Id.ToString());
            writer.WriteNumber("organization_no"u8, refused.OrganizationNo);
            writer.WriteString("type"u8, TextOf(refused.Type));
            writer.WriteString("dedup_id"u8, TextOf(refused.DedupId));
            writer.WriteString("ordering_key"u8, TextOf(refused.OrderingKey));
            writer.WriteString("traceparent"u8, refused.TraceParent.IsNone ? null : refused.TraceParent.ToString());
            writer.WriteBase64String("payload_base64"u8, refused.Payload.Span);
            writer.WriteString("reason"u8, reason);
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static string? TextOf(ReadOnlyMemory<byte> text) => text.IsEmpty ? null : Encoding.UTF8.GetString(text.Span);
}
