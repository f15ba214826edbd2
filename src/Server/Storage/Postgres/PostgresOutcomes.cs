using Npgsql;
using ZapierTriggers.Core.Delivery;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Usage;
using static ZapierTriggers.Server.Storage.Postgres.PostgresOutcomeStatements;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>
/// Finished tries. First tries that succeeded, which most are, go in one round trip; for all else what is there is read, locked, and <see
/// cref="DeliveryPlan"/> says what becomes of it. Both begin with a lock on the lanes, which replays take too: between reading and writing
/// no row comes or goes.
/// </summary>
internal sealed class PostgresOutcomes(PostgresDatabase database, TimeProvider time)
{
    /// <summary>See <see cref="IDeliveryStore.FindDeadLettersAsync"/>.</summary>
    public Task<IReadOnlyList<DeliveryResult>> FindDeadLettersAsync(
        IReadOnlyList<DeliveryResult> results, CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<DeliveryResult>>(
            async connection =>
            {
                var (now, all) = (time.GetUtcNow(), results.ToArray());
                var states = await ReadStatesAsync(connection, all, locked: null, cancellationToken);
                return [.. all.Where((result, i) => DeliveryPlan.Decide(result, states[i], now).MakesDeadLetter)];
            },
            cancellationToken);

    /// <summary>See <see cref="IDeliveryStore.RecordAsync"/>.</summary>
    public Task<bool> RecordAsync(DeliveryBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Results.Count + batch.Cursors.Count == 0) return Task.FromResult(false);

        // In key order, so that two recorders cannot deadlock.
        DeliveryResult[] results =
            [.. batch.Results.OrderBy(result => result.OrganizationNo).ThenBy(result => result.EventId).ThenBy(result => result.EndpointId)];
        return results.All(static result => result is { Claim: null, Status: EventStatus.Delivered, Attempt.Number: 1 })
            ? database.RunAsync(connection => RecordFirstAsync(connection, results, batch.Cursors, cancellationToken), cancellationToken)
            : database.RunInTransactionAsync(
                connection => RecordAsync(connection, results, batch.Cursors, cancellationToken), cancellationToken);
    }

    /// <summary>One implicit transaction, each of its statements with a view of its own.</summary>
    private async Task<bool> RecordFirstAsync(
        NpgsqlConnection connection, DeliveryResult[] results, IReadOnlyList<LaneCursor> cursors, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var commands = new NpgsqlBatch(connection);
        if (results.Length > 0)
        {
            AddLocks(commands, results, cursors);
            BindResults(Add(commands, FirstOutcomes), results, now);
            BindKeys(Add(commands, DropRetries), results).With(0);
            BindKeys(Add(commands, PassFirstTry), results).With(now);
        }

        AddCursors(commands, cursors);
        await using var reader = await commands.ExecuteReaderAsync(cancellationToken);
        var isDueNow = false;
        do
        {
            // Of the statements that answer rows, the locks answer one column.
            while (await reader.ReadAsync(cancellationToken)) isDueNow |= reader.FieldCount == 2;
        }
        while (await reader.NextResultAsync(cancellationToken));
        return isDueNow;
    }

    private async Task<bool> RecordAsync(
        NpgsqlConnection connection, DeliveryResult[] results, IReadOnlyList<LaneCursor> cursors, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var states = await ReadStatesAsync(connection, results, locked: cursors, cancellationToken);
        var plans = Enumerable.Range(0, results.Length).Select(
            i => (Result: results[i], Plan: DeliveryPlan.Decide(results[i], states[i], now))).ToArray();
        await using var commands = new NpgsqlBatch(connection);
        var replacing = Where(plans, static plan => plan.ReplacesOutcome);
        if (replacing.Length > 0) BindKeys(Add(commands, MoveOutcomes), replacing);
        var final = plans.Where(static pair => pair.Plan.Try == TryPlace.Outcome).ToArray();
        if (final.Length > 0) BindOutcomes(Add(commands, Outcomes), final, now);
        var earlier = Where(plans, static plan => plan.Try == TryPlace.Attempts);
        if (earlier.Length > 0) BindResults(Add(commands, Attempts), earlier, now);
        var waiting = plans.Where(static pair => pair.Plan.Retry is not null).ToArray();
        if (waiting.Length > 0) BindRetries(Add(commands, Retries), waiting, now);
        var dropped = Where(plans, static plan => plan.DropsRetry);
        if (dropped.Length > 0) BindKeys(Add(commands, DropRetries), dropped).With(int.MaxValue);
        var delivered = new DeliveredCount();
        foreach (var (result, plan) in plans)
        {
            if (plan.IsNewSuccess(result)) delivered.Add(result);
        }

        PostgresUsage.Add(commands, delivered.Sums, Guid.Empty);
        AddCursors(commands, cursors);
        if (commands.BatchCommands.Count > 0) await commands.ExecuteNonQueryAsync(cancellationToken);
        return plans.Any(static pair => pair.Plan.IsDueNow);
    }

    /// <summary>What is there; <c>locked</c> are cursors whose lanes are locked with those of the results, null = nothing is.</summary>
    private static async Task<DeliveryState[]> ReadStatesAsync(
        NpgsqlConnection connection, DeliveryResult[] results, IReadOnlyList<LaneCursor>? locked, CancellationToken cancellationToken)
    {
        await using var commands = new NpgsqlBatch(connection);
        if (locked is not null)
        {
            AddLocks(commands, results, locked);
            BindKeys(Add(commands, LockRetries), results);
        }

        BindKeys(Add(commands, States), results);
        await using var reader = await commands.ExecuteReaderAsync(cancellationToken);
        for (var locks = commands.BatchCommands.Count - 1; locks > 0; locks--) await reader.NextResultAsync(cancellationToken);
        var states = new DeliveryState[results.Length];
        while (await reader.ReadAsync(cancellationToken)) states[reader.GetInt64(0) - 1] = ReadState(reader);
        return states;
    }

    private static DeliveryState ReadState(NpgsqlDataReader row)
    {
        var retry = row.IsDBNull(1) ? null : new RetryState(
            row.GetInt32(1), row.GetInt32(2), row.GetInt32(3), row.GetBoolean(4), row.GetTime(5));
        var outcome = row.IsDBNull(6) ? null : new OutcomeState((EventStatus)row.GetInt16(6), row.GetInt32(7));
        return new DeliveryState(retry, outcome, row.GetBoolean(8));
    }

    private static DeliveryResult[] Where((DeliveryResult Result, DeliveryPlan Plan)[] plans, Func<DeliveryPlan, bool> condition) =>
        [.. plans.Where(pair => condition(pair.Plan)).Select(static pair => pair.Result)];
}
