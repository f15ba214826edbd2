using System.Buffers.Binary;
using System.Diagnostics;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Core.Operations;

/// <summary>
/// The spans of what happens behind an answer: a batch on its way into the store, and each try of a webhook. None while nobody listens.
/// </summary>
internal static class Spans
{
    /// <summary>Name of the source, for exporters.</summary>
    public const string SourceName = "ZapierTriggers";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The span of ours that the caller is in; null = none.</summary>
    public static Activity? Current => Activity.Current is { } span && span.Source == Source ? span : null;

    /// <summary>A transaction of the store writer; a root.</summary>
    public static Activity? StoreBatch(int events)
    {
        var span = Source.StartActivity("store batch", ActivityKind.Internal, parentContext: default);
        span?.SetTag("zapier.events", events);
        return span;
    }

    /// <summary>
    /// A webhook's try; a child of what the event's producer said, else a root. Its context goes to the receiver as <c>traceparent</c> (W3C
    /// Trace Context), so that what the receiver does joins the trace.
    /// </summary>
    public static Activity? WebhookTry(LaneTry started, EndpointRecord endpoint)
    {
        var span = Source.StartActivity("webhook try", ActivityKind.Client, ContextOf(started.Event.TraceParent));
        if (span is null) return null;
        span.SetTag("zapier.event_id", started.Event.Id.ToString());
        span.SetTag("zapier.endpoint_id", endpoint.Id.ToString());
        span.SetTag("zapier.attempt", started.Attempt);
        return span;
    }

    /// <summary>
    /// The <c>traceparent</c> of a try's request, or null. Trace id and flags are the producer's where it said some; the parent is our span
    /// where one is recorded, else the producer's span, so that the receiver's hang on one that somebody has.
    /// </summary>
    public static string? TraceParentOf(DueEvent due)
    {
        var span = Current;
        if (due.TraceParent.IsNone) return span?.Id;
        if (span is not { Recorded: true }) return due.TraceParent.ToString();
        Span<byte> id = stackalloc byte[sizeof(ulong)];
        span.SpanId.CopyTo(id);
        return (due.TraceParent with { ParentId = BinaryPrimitives.ReadUInt64BigEndian(id) }).ToString();
    }

    /// <summary>Notes how a try ended.</summary>
    public static void End(Activity? span, TryResult result)
    {
        if (span is null) return;
        if (result.Status is { } status) span.SetTag("http.response.status_code", status);
        if (result.Error != DeliveryError.None) span.SetStatus(ActivityStatusCode.Error, result.ErrorText);
    }

    private static ActivityContext ContextOf(TraceParent trace)
    {
        if (trace.IsNone) return default;
        Span<byte> bytes = stackalloc byte[TraceParent.ByteLength];
        trace.WriteBytes(bytes);
        return new ActivityContext(
            ActivityTraceId.CreateFromBytes(bytes[..16]),
            ActivitySpanId.CreateFromBytes(bytes[16..24]),
            (ActivityTraceFlags)trace.Flags & ActivityTraceFlags.Recorded,
            traceState: null,
            isRemote: true);
    }
}
