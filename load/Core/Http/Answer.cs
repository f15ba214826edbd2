using ZapierTriggers.Core.Events;

namespace ZapierTriggers.Load.Core.Http;

/// <summary>What we need to know of one HTTP answer.</summary>
/// <param name="Status">The status code; 0 if no answer came (connection refused, reset, or closed in the middle).</param>
/// <param name="Id">The event's id from <c>event_id</c>, else <c>id</c>, of the JSON body; zero if the body names none.</param>
/// <param name="Close">Whether the server will close the connection after this answer.</param>
internal readonly record struct Answer(int Status, EventId Id, bool Close)
{
    /// <summary>No answer: whether the request took effect is unknown.</summary>
    public static readonly Answer None = new(0, default, true);
}
