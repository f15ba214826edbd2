using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Load.Core.Verdict;

/// <summary>Reads an organization's whole inbox, oldest first, page by page along the cursor.</summary>
/// <param name="client">A client whose base address is the server and whose headers carry the key.</param>
/// <param name="pageSize">Events per page, 1 to 1000.</param>
internal sealed class InboxReader(HttpClient client, int pageSize = 1000)
{
    private const int TriesPerPage = 60;

    // A server that is still storing what it accepted answers 503: worth a minute of patience, not more.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private EventId _start;

    /// <summary>Passes over what is in the inbox now, so that a run's own events follow.</summary>
    public async Task SkipExistingAsync(CancellationToken cancellationToken = default)
    {
        var page = ReadPage(await GetAsync("/api/inbox?order=desc&limit=1", cancellationToken));
        _start = page.Events.Count == 0 ? default : page.Events[0].Id;
    }

    /// <summary>All events, or all after those passed over, in the order listed.</summary>
    /// <exception cref="HttpRequestException">The server refused a page, or could not answer it for a minute.</exception>
    /// <exception cref="InvalidDataException">A page is not what the contract says.</exception>
    public async IAsyncEnumerable<StoredEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var cursor = _start;
        while (true)
        {
            var from = cursor.IsZero ? "" : $"&cursor={cursor}";
            var page = ReadPage(await GetAsync($"/api/inbox?order=asc&limit={pageSize}{from}", cancellationToken));
            foreach (var stored in page.Events) yield return stored;
            if (!page.HasMore) yield break;
            if (page.Events.Count == 0 || page.Events[^1].Id == cursor)
                throw new InvalidDataException("The inbox has more but its cursor does not move.");
            cursor = page.Events[^1].Id;
        }
    }

    private async Task<byte[]> GetAsync(string path, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var response = await client.GetAsync(path, cancellationToken);
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable || attempt == TriesPerPage)
            {
                response.EnsureSuccessStatusCode();
                return await response.Content.ReadAsByteArrayAsync(cancellationToken);
            }

            await Task.Delay(RetryAfter, cancellationToken);
        }
    }

    private static (List<StoredEvent> Events, bool HasMore) ReadPage(byte[] json)
    {
        var events = new List<StoredEvent>();
        var hasMore = false;
        var reader = new Utf8JsonReader(json);
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("events"u8))
            {
                Expect(ref reader, JsonTokenType.StartArray);
                while (reader.Read() && reader.TokenType == JsonTokenType.StartObject) events.Add(ReadEvent(ref reader, json));
            }
            else if (reader.ValueTextEquals("has_more"u8))
            {
                reader.Read();
                hasMore = reader.GetBoolean();
            }
            else
            {
                reader.Skip();
            }
        }

        return (events, hasMore);
    }

    private static StoredEvent ReadEvent(ref Utf8JsonReader reader, byte[] json)
    {
        var id = default(EventId);
        var payload = default(ReadOnlyMemory<byte>);
        string? dedupId = null, ownType = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("id"u8))
            {
                reader.Read();
                if (!EventId.TryParse(reader.GetString(), out id))
                    throw new InvalidDataException($"The inbox lists '{reader.GetString()}', which is no event id.");
            }
            else if (reader.ValueTextEquals("payload"u8))
            {
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                payload = json.AsMemory(start, (int)reader.BytesConsumed - start);
            }
            else if (reader.ValueTextEquals("dedup_id"u8))
            {
                reader.Read();
                dedupId = reader.GetString();
            }
            else if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                ownType = OwnEvents.FindType(ref reader);
                reader.Skip();
            }
            else
            {
                reader.Skip();
            }
        }

        return new StoredEvent(id, payload, dedupId, OwnEvents.IsOne(ownType, dedupId));
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
            throw new InvalidDataException($"The inbox answered {reader.TokenType} where {type} belongs.");
    }
}
