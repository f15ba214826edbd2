using System.Text.Json;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Sequencing;

namespace ZapierTriggers.Server.Operations;

/// <summary>What the detailed health answer tells besides readiness and figures.</summary>
/// <param name="OldestUnstoredMilliseconds">How long ago the oldest event that is not stored was accepted; 0 when all are.</param>
/// <param name="Endpoints">How many endpoints are in each state.</param>
internal sealed record ServerDetail(long OldestUnstoredMilliseconds, IReadOnlyDictionary<EndpointState, int> Endpoints)
{
    /// <summary>As it is now. The shard is there only after the journal is replayed.</summary>
    public static ServerDetail Of(Shard? shard, Dispatcher dispatcher, TimeProvider time)
    {
        var since = shard?.Writer.StoringSince ?? 0;
        var age = since == 0 ? 0 : Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - since);
        return new ServerDetail(age, Enum.GetValues<EndpointState>().ToDictionary(state => state, dispatcher.CountEndpoints));
    }

    /// <summary>Writes its members into an object.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteNumber("oldest_unstored_ms"u8, OldestUnstoredMilliseconds);
        writer.WriteStartObject("endpoints"u8);
        writer.WriteNumber("active"u8, Endpoints.GetValueOrDefault(EndpointState.Active));
        writer.WriteNumber("backing_off"u8, Endpoints.GetValueOrDefault(EndpointState.BackingOff));
        writer.WriteNumber("paused"u8, Endpoints.GetValueOrDefault(EndpointState.Paused));
        writer.WriteNumber("disabled"u8, Endpoints.GetValueOrDefault(EndpointState.Disabled));
        writer.WriteEndObject();
    }
}
