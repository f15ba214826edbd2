using Microsoft.Data.Sqlite;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Core.Usage;

namespace ZapierTriggers.Server.Storage.Sqlite;

/// <summary>Records results one by one, with statements that are prepared once.</summary>
internal sealed class SqliteRecord(SqliteConnection connection, DateTimeOffset now) : IDisposable
{
    private const string FindRetry = """
        SELECT attempts, base, owed, claimed, due_at FROM retries WHERE organization_no = $1 AND event_id = $2 AND endpoint_id = $3
        """;

    private const string FindOutcome = """
        SELECT status, attempts FROM outcomes WHERE organization_no = $1 AND event_id = $2 AND endpoint_id = $3
        """;

    private const string FindAck = """
        SELECT 1 FROM acks WHERE organization_no = $1 AND event_id = $2
        """;

    /// <summary>An outcome without a try (a blocked address) has none to keep.</summary>
    private const string MoveOutcome = """
        INSERT INTO attempts (organization_no, event_id, endpoint_id, number, at, response_status, latency_ms, error, response_body)
        SELECT organization_no, event_id, endpoint_id, attempts, at, response_status, latency_ms, error, response_body
        FROM outcomes
        WHERE organization_no = $1 AND event_id = $2 AND endpoint_id = $3 AND latency_ms IS NOT NULL
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Asked once for each endpoint of a batch: mostly none waits.</summary>
    private const string AnyRetry = """
        SELECT EXISTS (SELECT 1 FROM retries WHERE organization_no = $1 AND endpoint_id = $2)
        """;

    private const string FirstOutcome = """
        INSERT INTO outcomes
            (organization_no, event_id, endpoint_id, status, at, attempts, response_status, latency_ms, error, response_body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>An outcome without a try counts the tries before it.</summary>
    private const string PutOutcome = """
        INSERT INTO outcomes
            (organization_no, event_id, endpoint_id, status, at, attempts, response_status, latency_ms, error, response_body)
        VALUES ($1, $2, $3, $4, $5,
                coalesce($6,
                         (SELECT max(t.number) FROM attempts t WHERE t.organization_no = $1 AND t.event_id = $2 AND t.endpoint_id = $3),
                         0),
                $7, $8, $9, $10)
        ON CONFLICT (organization_no, event_id, endpoint_id) DO UPDATE
        SET status = excluded.status, at = excluded.at, attempts = excluded.attempts, response_status = excluded.response_status,
            latency_ms = excluded.latency_ms, error = excluded.error, response_body = excluded.response_body
        """;

    private const string AddAttempt = """
        INSERT INTO attempts (organization_no, event_id, endpoint_id, number, at, response_status, latency_ms, error, response_body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT DO NOTHING
        """;

    private const string PutRetry = """
        INSERT INTO retries
            (organization_no, event_id, endpoint_id, due_at, attempts, base, owed, claimed, at, response_status, latency_ms, error)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (organization_no, endpoint_id, event_id) DO UPDATE
        SET due_at = excluded.due_at, attempts = excluded.attempts, base = excluded.base, owed = excluded.owed, claimed = excluded.claimed,
            at = excluded.at, response_status = excluded.response_status, latency_ms = excluded.latency_ms, error = excluded.error
        """;

    private const string DropRetry = """
        DELETE FROM retries WHERE organization_no = $1 AND event_id = $2 AND endpoint_id = $3
        """;

    private readonly Dictionary<(int, Guid), bool> _hasRetries = [];
    private readonly SqliteStatement _anyRetry = new(connection, AnyRetry);
    private readonly SqliteStatement _findRetry = new(connection, FindRetry);
    private readonly SqliteStatement _findOutcome = new(connection, FindOutcome);
    private readonly SqliteStatement _findAck = new(connection, FindAck);
    private readonly SqliteStatement _moveOutcome = new(connection, MoveOutcome);
    private readonly SqliteStatement _putOutcome = new(connection, PutOutcome);
    private readonly SqliteStatement _addAttempt = new(connection, AddAttempt);
    private readonly SqliteStatement _putRetry = new(connection, PutRetry);
    private readonly SqliteStatement _dropRetry = new(connection, DropRetry);
    private SqlitePrepared? _firstOutcome;

    /// <summary>The successes that were recorded, for usage.</summary>
    public DeliveredCount Delivered { get; } = new();

    /// <summary>Records one; returns whether something is due at once because it was asked for by hand.</summary>
    public bool Record(DeliveryResult result)
    {
        if (result is { Claim: null, Status: EventStatus.Delivered, Attempt: { Number: 1 } first } && !HasRetries(result))
        {
            if (WriteFirstOutcome(result, first)) Delivered.Add(result);
            return false;
        }

        var plan = DeliveryPlan.Decide(result, ReadState(result), now);
        if (plan.IsNewSuccess(result)) Delivered.Add(result);
        if (plan.ReplacesOutcome) _moveOutcome.Execute(result.OrganizationNo, result.EventId, result.EndpointId);
        if (plan.Try == TryPlace.Outcome) WriteOutcome(result, plan.OutcomeStatus);
        if (plan.Try == TryPlace.Attempts) WriteAttempt(result, result.Attempt!);
        if (plan.Retry is { } retry) WriteRetry(result, retry);
        if (plan.DropsRetry) _dropRetry.Execute(result.OrganizationNo, result.EventId, result.EndpointId);
        return plan.IsDueNow;
    }

    /// <summary>Whether recording it would make a dead letter; changes nothing.</summary>
    public bool MakesDeadLetter(DeliveryResult result) => DeliveryPlan.Decide(result, ReadState(result), now).MakesDeadLetter;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var statement in (ReadOnlySpan<SqliteStatement>)[_anyRetry, _findRetry, _findOutcome, _findAck, _moveOutcome, _putOutcome, _addAttempt, _putRetry, _dropRetry])
            statement.Dispose();
        _firstOutcome?.Dispose();
    }

    private DeliveryState ReadState(DeliveryResult result)
    {
        var (organizationNo, eventId, endpointId) = (result.OrganizationNo, result.EventId, result.EndpointId);
        RetryState? retry = null;
        using (var row = _findRetry.Open(organizationNo, eventId, endpointId))
        {
            if (row.Read()) retry = new RetryState(row.GetInt32(0), row.GetInt32(1), row.GetInt32(2), row.GetBoolean(3), row.GetTime(4));
        }

        OutcomeState? outcome = null;
        using (var row = _findOutcome.Open(organizationNo, eventId, endpointId))
        {
            if (row.Read()) outcome = new OutcomeState((EventStatus)row.GetInt32(0), row.GetInt32(1));
        }

        using var ack = _findAck.Open(organizationNo, eventId);
        return new DeliveryState(retry, outcome, ack.Read());
    }

    /// <summary>Whether anything waits at the endpoint; what this batch makes wait is of other events.</summary>
    private bool HasRetries(DeliveryResult result)
    {
        var lane = (result.OrganizationNo, result.EndpointId);
        if (!_hasRetries.TryGetValue(lane, out var has))
            _hasRetries[lane] = has = _anyRetry.Query(row => row.GetBoolean(0), result.OrganizationNo, result.EndpointId)[0];
        return has;
    }

    /// <summary>
    /// Nearly every result, so the one whose cost sets how many webhooks a second can be recorded. False when it was recorded before.
    /// </summary>
    private bool WriteFirstOutcome(DeliveryResult result, AttemptRecord attempt)
    {
        var put = _firstOutcome ??= new SqlitePrepared(connection, FirstOutcome);
        put.Bind(1, (long)result.OrganizationNo);
        put.Bind(2, result.EventId);
        put.Bind(3, result.EndpointId);
        put.Bind(4, (long)result.Status);
        put.Bind(5, attempt.At);
        put.Bind(6, (long)attempt.Number);
        put.Bind(7, attempt.ResponseStatus);
        put.Bind(8, (long)attempt.LatencyMilliseconds);
        put.Bind(9, attempt.Error ?? result.Reason);
        put.Bind(10, attempt.ResponseBody);
        return put.Run() > 0;
    }

    private void WriteOutcome(DeliveryResult result, EventStatus status)
    {
        var attempt = result.Attempt;
        _putOutcome.Execute(
            result.OrganizationNo,
            result.EventId,
            result.EndpointId,
            status,
            attempt?.At ?? now,
            attempt?.Number,
            attempt?.ResponseStatus,
            attempt?.LatencyMilliseconds,
            attempt?.Error ?? result.Reason,
            attempt?.ResponseBody);
    }

    private void WriteAttempt(DeliveryResult result, AttemptRecord attempt) => _addAttempt.Execute(
        result.OrganizationNo,
        result.EventId,
        result.EndpointId,
        attempt.Number,
        attempt.At,
        attempt.ResponseStatus,
        attempt.LatencyMilliseconds,
        attempt.Error,
        attempt.ResponseBody);

    private void WriteRetry(DeliveryResult result, RetryState retry) => _putRetry.Execute(
        result.OrganizationNo,
        result.EventId,
        result.EndpointId,
        retry.DueAt,
        retry.Attempts,
        retry.Base,
        retry.Owed,
        retry.IsClaimed,
        result.Attempt?.At ?? now,
        result.Attempt?.ResponseStatus,
        result.Attempt?.LatencyMilliseconds,
        result.Attempt?.Error ?? result.Reason);
}
