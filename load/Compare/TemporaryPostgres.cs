using System.Diagnostics;
using Npgsql;
using ZapierTriggers.Load.Core.Contest;

namespace ZapierTriggers.Load.Compare;

/// <summary>A throw-away PostgreSQL for our server, and a connection of our own to it.</summary>
internal sealed class TemporaryPostgres : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TemporaryProcess _process;
    private readonly NpgsqlDataSource _source;

    private TemporaryPostgres(TemporaryProcess process)
    {
        _process = process;
        _source = NpgsqlDataSource.Create(ConnectionString);
    }

    /// <summary>
    /// Leads to it. The command timeout is long: a server waits for a lock half as long before it gives up and pauses, and a held store is
    /// to go on the moment it is let go.
    /// </summary>
    public string ConnectionString => $"Host=127.0.0.1;Port={_process.Port};Username=postgres;Database=postgres;Command Timeout=1200";

    /// <summary>Makes and starts it.</summary>
    /// <exception cref="MissingProgramException">PostgreSQL is not installed.</exception>
    public static async Task<TemporaryPostgres> StartAsync(CancellationToken stop)
    {
        var postgres = new TemporaryPostgres(new TemporaryProcess());
        try
        {
            var (program, arguments) = PostgresFiles.Command(postgres._process);
            await postgres._process.StartAsync(program, arguments, settings: null, stop);
            await postgres.UntilAnswersAsync(stop);
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>A connection.</summary>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken stop) => _source.OpenConnectionAsync(stop);

    /// <summary>Runs statements; returns the first value of the first row, if any.</summary>
    public async Task<object?> RunAsync(string sql, CancellationToken stop)
    {
        await using var command = _source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(stop);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _process.DisposeAsync();
    }

    // It listens a moment before it takes connections.
    private async Task UntilAnswersAsync(CancellationToken stop)
    {
        for (var start = Stopwatch.GetTimestamp(); ; await Task.Delay(Look, stop))
        {
            try
            {
                await RunAsync("SELECT 1", stop);
                return;
            }
            catch (NpgsqlException) when (Stopwatch.GetElapsedTime(start) < Patience)
            {
                // Not yet.
            }
        }
    }
}
