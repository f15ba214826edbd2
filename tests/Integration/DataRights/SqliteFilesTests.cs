using System.Text;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DataRights;

/// <summary>
/// SQLite's files keep nothing of erased rows, also where pages that they shared with others were split or merged: where half of the rows
/// go, a plain delete leaves copies of some.
/// </summary>
public sealed class SqliteFilesTests
{
    [Fact]
    public async Task By_payload_nothing_is_left_in_pages_that_others_share()
    {
        await using var server = await ServerUnderTest.StartAsync(StoreKind.Sqlite);
        var tenant = await server.NewTenantAsync();
        for (var round = 0; round < 3; round++)
        {
            await tenant.PostManyAsync(400, n => Payload(n % 2 == 0 ? "erased-person" : "kept-person", n));
            await tenant.GetAsync("/api/inbox"); // waits until they are stored
            Assert.True(IsInFiles(server, "erased-person"));

            await tenant.EraseToTheEndAsync("""{"payload_field":"who","equals":"erased-person"}""");

            await Poll.UntilAsync(() => Task.FromResult(!IsInFiles(server, "erased-person")), "nothing to be left");
        }

        Assert.True(IsInFiles(server, "kept-person"));
    }

    /// <summary>Some have more than fits a page, so pages hold few rows or many, and merge differently.</summary>
    private static string Payload(string who, int n) => $$"""{"who":"{{who}}","n":{{n}},"text":"{{new string('x', n % 50 == 0 ? 3_000 : 10)}}"}""";

    private static bool IsInFiles(ServerUnderTest server, string text) =>
        Directory.EnumerateFiles(server.DataDirectory, "events.db*").Any(path =>
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var bytes = new MemoryStream();
            file.CopyTo(bytes);
            return bytes.GetBuffer().AsSpan(0, (int)bytes.Length).IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
        });
}
