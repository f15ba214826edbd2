using ZapierTriggers.Server.Storage;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>A schema of its own in the run's PostgreSQL.</summary>
public sealed class PostgresFixture : StoreFixture
{
    internal string ConnectionString { get; private set; } = "";

    internal override StorageOptions Options => new() { ConnectionString = ConnectionString };

    internal override Task<object?> ScalarAsync(string sql) => PostgresServer.ExecuteAsync(sql, ConnectionString);

    protected override async Task CreateAsync() => ConnectionString = await PostgresServer.CreateSchemaAsync("stores");

    protected override Task DropAsync() => PostgresServer.DropSchemaAsync(ConnectionString);
}
