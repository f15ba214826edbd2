using Microsoft.Data.Sqlite;
using ZapierTriggers.Server.Storage;

namespace ZapierTriggers.Tests.Integration.Storage;

/// <summary>A file of its own in a temporary directory.</summary>
public sealed class SqliteFixture : StoreFixture
{
    private string _directory = "";

    internal override StorageOptions Options => new() { DataDirectory = _directory };

    internal override async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(_directory, "events.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    protected override Task CreateAsync()
    {
        _directory = Directory.CreateTempSubdirectory("zap-sqlite-").FullName;
        return Task.CompletedTask;
    }

    protected override Task DropAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }
}
