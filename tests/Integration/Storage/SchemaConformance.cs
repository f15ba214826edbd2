using ZapierTriggers.Core.Storing;

namespace ZapierTriggers.Tests.Integration.Storage;

public sealed class PostgresSchemaTests : SchemaConformance<PostgresFixture>;

public sealed class SqliteSchemaTests : SchemaConformance<SqliteFixture>;

/// <summary>Preparing the database, and proving that it takes writes.</summary>
public abstract class SchemaConformance<T> : IAsyncLifetime
    where T : StoreFixture, new()
{
    private readonly T _fixture = new();

    public ValueTask InitializeAsync() => _fixture.InitializeAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _fixture.DisposeAsync();
    }

    [Fact]
    public async Task Preparing_again_by_another_server_keeps_what_is_there()
    {
        var events = new TestEvents(StoreFixture.NextNumber());
        await (await _fixture.NewShardAsync()).AppendAsync(events.Many(2));

        await using var second = await _fixture.OpenAsync();
        await Task.WhenAll(second.Events.PrepareAsync(CancellationToken.None), _fixture.Stores.Events.PrepareAsync(CancellationToken.None));

        Assert.Equal(2, (await _fixture.ReadAllAsync(events.OrganizationNo)).Count);
    }

    [Fact]
    public async Task A_schema_of_a_newer_server_is_refused()
    {
        await _fixture.ScalarAsync("UPDATE schema_versions SET version = 9999 WHERE version = 1");

        var exception = await Assert.ThrowsAsync<StoreException>(() => _fixture.Stores.Events.PrepareAsync(CancellationToken.None));

        Assert.Equal(StoreFailure.Fault, exception.Failure);
        Assert.Contains("9999", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_probe_writes()
    {
        var before = await _fixture.ScalarAsync("SELECT at FROM probes");
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));

        await _fixture.Stores.Events.ProbeAsync(CancellationToken.None);

        Assert.NotEqual(before, await _fixture.ScalarAsync("SELECT at FROM probes"));
    }

    [Fact]
    public async Task A_probe_of_a_broken_store_fails()
    {
        await _fixture.ScalarAsync("DROP TABLE probes");

        await Assert.ThrowsAsync<StoreException>(() => _fixture.Stores.Events.ProbeAsync(CancellationToken.None));
    }

    [Fact]
    public async Task People_read_payloads_as_text()
    {
        var events = new TestEvents(StoreFixture.NextNumber());
        await (await _fixture.NewShardAsync()).AppendAsync(events.Next("t", """{"größe":1}"""));

        Assert.Equal("""{"größe":1}""", await _fixture.ScalarAsync("SELECT payload FROM readable_events"));
    }
}
