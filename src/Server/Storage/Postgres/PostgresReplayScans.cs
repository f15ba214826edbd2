using Npgsql;
using ZapierTriggers.Core.Delivery;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>What of <see cref="ReplayScanStatements"/> is PostgreSQL's own: conditions on parameters that may be null.</summary>
internal static class PostgresReplayScans
{
    /// <summary>The statements.</summary>
    public static readonly ReplayScanStatements Statements = new(
        isChosen: "($4::uuid IS NULL OR o.endpoint_id = $4) AND ($7::uuid[] IS NULL OR o.event_id = ANY ($7))",
        isSearched: "($5::text IS NULL OR e.type = $5) AND ($6::text IS NULL OR position(lower($6) IN lower(o.error)) > 0)");

    /// <summary>Binds $1 to $7.</summary>
    public static NpgsqlParameterCollection Bind(NpgsqlParameterCollection parameters, int organizationNo, ReplayFilter filter) =>
        parameters.With(organizationNo).With(filter.From).With(filter.To).With(filter.EndpointId).With(filter.Type).With(filter.Error)
            .With(filter.EventIds?.Select(static id => id.ToGuid()).ToArray());
}
