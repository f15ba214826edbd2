namespace ZapierTriggers.Tests.Integration.Infrastructure;

/// <summary>One server for the tests of a class, which keep apart by an organization each.</summary>
public abstract class ServerFixture(StoreKind store) : IAsyncLifetime
{
    /// <summary>Where it stores.</summary>
    public StoreKind Store => store;

    internal ServerUnderTest Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await ServerUnderTest.StartAsync(store);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Server is not null) await Server.DisposeAsync();
    }
}

/// <summary>A server on its embedded database.</summary>
public sealed class SqliteServer() : ServerFixture(StoreKind.Sqlite);

/// <summary>A server on Postgres.</summary>
public sealed class PostgresBackedServer() : ServerFixture(StoreKind.Postgres);
