using System.Text.Json;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Webhooks;

/// <summary>Writes dead letters and replays.</summary>
internal static class ReplayJson
{
    /// <summary>Writes a page of dead letters.</summary>
    public static void WritePage(Utf8JsonWriter writer, (DeadLetterPage Page, int Limit) answer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("dead_letters"u8);
        foreach (var one in answer.Page.Items) Write(writer, one);
        writer.WriteEndArray();
        writer.WriteString("next_cursor"u8, answer.Page.HasMore ? DeadLetterParameters.CursorBehind(answer.Page.Items[^1]) : null);
        writer.WriteBoolean("has_more"u8, answer.Page.HasMore);
        writer.WriteNumber("count"u8, answer.Page.Items.Count);
        writer.WriteNumber("limit"u8, answer.Limit);
        writer.WriteEndObject();
    }

    /// <summary>Writes what a replay of one event came to.</summary>
    public static void WriteReplayed(Utf8JsonWriter writer, (EventId EventId, int Count) replayed)
    {
        writer.WriteStartObject();
        writer.WriteId("event_id"u8, replayed.EventId);
        writer.WriteNumber("replayed"u8, replayed.Count);
        writer.WriteEndObject();
    }

    /// <summary>Writes what a dry run found.</summary>
    public static void WriteMatched(Utf8JsonWriter writer, long matched)
    {
        writer.WriteStartObject();
        writer.WriteNumber("matched"u8, matched);
        writer.WriteEndObject();
    }

    /// <summary>Writes the answer to a call that began a job.</summary>
    public static void WriteBegun(Utf8JsonWriter writer, ReplayJob job)
    {
        writer.WriteStartObject();
        writer.WriteString("replay_id"u8, job.Id);
        WriteFields(writer, job);
        writer.WriteEndObject();
    }

    /// <summary>Writes a job.</summary>
    public static void WriteJob(Utf8JsonWriter writer, ReplayJob job)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, job.Id);
        WriteFields(writer, job);
        writer.WriteEndObject();
    }

    /// <summary>Writes jobs.</summary>
    public static void WriteJobs(Utf8JsonWriter writer, IReadOnlyList<ReplayJob> jobs)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("replays"u8);
        foreach (var job in jobs) WriteJob(writer, job);
        writer.WriteEndArray();
        writer.WriteNumber("count"u8, jobs.Count);
        writer.WriteEndObject();
    }

    private static void WriteFields(Utf8JsonWriter writer, ReplayJob job)
    {
        writer.WriteString("status"u8, job.FinishedAt is null ? "running"u8 : "finished"u8);
        writer.WriteNumber("matched"u8, job.Matched);
        writer.WriteNumber("queued"u8, job.Queued);
        writer.WriteNumber("rate_per_second"u8, job.RatePerSecond);
        writer.WriteTime("created_at"u8, job.CreatedAt);
        writer.WriteTime("finished_at"u8, job.FinishedAt);
    }

    private static void Write(Utf8JsonWriter writer, DeadLetter one)
    {
        writer.WriteStartObject();
        writer.WriteId("event_id"u8, one.EventId);
        writer.WriteString("endpoint_id"u8, one.EndpointId);
        writer.WriteString("url"u8, one.Url);
        writer.WriteString("type"u8, one.Type);
        writer.WriteNumber("attempts"u8, one.Attempts);
        writer.WriteNullable("response_status"u8, one.ResponseStatus);
        writer.WriteString("error"u8, one.Error);
        writer.WriteTime("failed_at"u8, one.FailedAt);
        writer.WriteTime("created_at"u8, one.EventId.AcceptedAt);
        writer.WriteEndObject();
    }
}
