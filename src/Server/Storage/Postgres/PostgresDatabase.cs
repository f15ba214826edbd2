using Npgsql;
using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Server.Storage.Postgres;

/// <summary>The pool of connections and the one way to use it: every driver error leaves as a <see cref="StoreException"/>.</summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    /// <summary>Seconds after which a connection that only listens asks whether the server is still there.</summary>
    private const int KeepAlive = 10;

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _alone;

    /// <summary>Makes the pool; nothing is connected yet. Throws <see cref="StoreException"/> when the text cannot be read.</summary>
    public PostgresDatabase(string connectionString)
    {
        var settings = PostgresConnectionString.Parse(connectionString);
        var port = settings.Port == NpgsqlConnection.DefaultPort ? "" : $":{settings.Port}";
        Place = $"{settings.Host}{port}/{settings.Database ?? settings.Username}";
        _source = Build(settings.ConnectionString);
        (settings.Pooling, settings.MaxAutoPrepare, settings.KeepAlive) = (false, 0, KeepAlive);
        _alone = Build(settings.ConnectionString);
    }

    /// <summary>Host, port if unusual, and database: for banners and logs.</summary>
    public string Place { get; }

    /// <summary>Runs the work on a connection of the pool.</summary>
    public Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(_source, work, cancellationToken);

    /// <summary>
    /// Runs work that lasts on a connection of its own, so that it takes none away from the pool, and returns when it fails or is
    /// cancelled.
    /// </summary>
    public Task RunAloneAsync(Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken) => RunAsync(
        _alone,
        async connection =>
        {
            await work(connection);
            return true;
        },
        cancellationToken);

    private async Task<T> RunAsync<T>(NpgsqlDataSource source, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            return await work(connection);
        }
        catch (Exception exception)
        {
            if (PostgresErrors.Map(exception) is not { } mapped) throw;

            if (PostgresErrors.NeedsFreshPool(mapped.Code)) _source.Clear();
            throw mapped;
        }
    }

    /// <summary>Runs the work in a transaction (READ COMMITTED) that is committed when it returns.</summary>
    public Task<T> RunInTransactionAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                var result = await work(connection);
                await transaction.CommitAsync(cancellationToken);
                return result;
            },
            cancellationToken);

    /// <summary>Runs one statement; returns the rows it affected.</summary>
    public Task<int> ExecuteAsync(string sql, Action<NpgsqlParameterCollection> bind, CancellationToken cancellationToken) =>
        RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                bind(command.Parameters);
                return await command.ExecuteNonQueryAsync(cancellationToken);
            },
            cancellationToken);

    /// <summary>Runs one query; returns its rows.</summary>
    public Task<List<T>> QueryAsync<T>(
        string sql,
        Action<NpgsqlParameterCollection> bind,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken) =>
        RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                bind(command.Parameters);
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                return await reader.ReadAllAsync(read, cancellationToken);
            },
            cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _alone.DisposeAsync();
        await _source.DisposeAsync();
    }

    private static NpgsqlDataSource Build(string connectionString)
    {
        var builder = new NpgsqlSlimDataSourceBuilder(connectionString);
        builder.EnableArrays();
        builder.EnableTransportSecurity();
        PostgresSession.AddTo(builder);
        return builder.Build();
    }
}
