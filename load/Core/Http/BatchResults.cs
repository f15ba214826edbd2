using System.Text.Json;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Load.Core.Http;

/// <summary>Reads the answer to a batch: <c>{…, "results": [{"index", "status", "id" | "event_id" | "code"}, …]}</c>.</summary>
internal static class BatchResults
{
    /// <summary>
    /// Writes for each item the answer that it would have had alone: 202, 409, 429 or 422. False when the answer does not name every item
    /// once and in order; then <paramref name="items"/> holds nothing of use.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> json, Span<Answer> items)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("results"u8)) return TryReadResults(ref reader, items);
                reader.Skip();
            }

            return false;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    private static bool TryReadResults(ref Utf8JsonReader reader, Span<Answer> items)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return false;
        var count = 0;
        for (; reader.Read() && reader.TokenType == JsonTokenType.StartObject; count++)
        {
            if (count == items.Length || !TryReadResult(ref reader, count, out items[count])) return false;
        }

        return count == items.Length;
    }

    private static bool TryReadResult(ref Utf8JsonReader reader, int expected, out Answer answer)
    {
        var (index, status, id, isLimited) = (-1, 0, default(EventId), false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("index"u8)) index = reader.Read() ? reader.GetInt32() : -1;
            else if (reader.ValueTextEquals("status"u8)) status = ReadStatus(ref reader);
            else if (reader.ValueTextEquals("id"u8) || reader.ValueTextEquals("event_id"u8)) id = ReadId(ref reader);
            else if (reader.ValueTextEquals("code"u8)) isLimited = reader.Read() && reader.ValueTextEquals("rate_limit_exceeded"u8);
            else reader.Skip();
        }

        answer = new Answer(status == 422 && isLimited ? 429 : status, id, Close: false);
        return index == expected && status != 0;
    }

    private static int ReadStatus(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.ValueTextEquals("accepted"u8) ? 202
            : reader.ValueTextEquals("duplicate"u8) ? 409
            : reader.ValueTextEquals("rejected"u8) ? 422
            : 0;
    }

    private static EventId ReadId(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TryGetGuid(out var id) ? EventId.FromGuid(id) : default;
    }
}
