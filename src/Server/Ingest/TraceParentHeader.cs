using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Server.Ingest;

/// <summary>
/// The trace that a request says it belongs to. Whatever is no valid header is as if it was not there (W3C Trace Context, 3.2.1).
/// </summary>
internal static class TraceParentHeader
{
    /// <summary>The header's; where it is not there or not valid, what the event itself says (a CloudEvent's attribute).</summary>
    public static TraceParent Read(IHeaderDictionary headers, TraceParent fromEvent)
    {
        var values = headers.TraceParent;
        return values.Count == 1 && TraceParent.TryParse(values[0], out var parsed) ? parsed : fromEvent;
    }
}
