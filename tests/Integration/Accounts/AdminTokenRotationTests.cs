using System.Net;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Tests.Integration.Accounts;

/// <summary>Replacing an admin token that is the server's own file.</summary>
public sealed class AdminTokenRotationTests
{
    private const string Path = "/api/admin/token/rotate";
    private const string Harmless = "/api/admin/organizations";

    [Fact]
    public async Task The_former_one_is_taken_for_its_grace_but_rotates_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("zap-token-");
        await using var host = await ApiHost.StartAsync(token: AdminToken.Provision(null, folder.FullName, time: TimeProvider.System));
        var old = (await File.ReadAllTextAsync(System.IO.Path.Combine(folder.FullName, AdminToken.FileName), TestContext.Current.CancellationToken)).Trim();

        // The token looks at the real clock, the answer at the tests'.
        host.Time.SetUtcNow(TimeProvider.System.GetUtcNow());
        var (status, body, _) = await host.SendAsync(HttpMethod.Post, Path, old, """{"grace_seconds": 600}""");

        Assert.Equal(HttpStatusCode.OK, status);
        ApiAssert.Fields(body, "admin_token", "rotated_at", "previous_valid_until", "message");
        var made = (string)body["admin_token"]!;
        Assert.Equal(made + "\n", await File.ReadAllTextAsync(
            System.IO.Path.Combine(folder.FullName, AdminToken.FileName), TestContext.Current.CancellationToken));
        foreach (var token in (string[])[old, made])
            Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Get, Harmless, token)).Status);
        ApiAssert.Problem(await host.SendAsync(HttpMethod.Post, Path, old), 401, "invalid_admin_token", "Invalid admin token");

        Assert.Equal(HttpStatusCode.OK, (await host.SendAsync(HttpMethod.Post, Path, made)).Status);
        foreach (var token in (string[])[old, made])
            ApiAssert.Problem(await host.SendAsync(HttpMethod.Get, Harmless, token), 401, "invalid_admin_token", "Invalid admin token");

        Assert.Equal(["admin_token.rotate", "admin_token.rotate"], host.Audit.Entries.Select(entry => entry.Action));
        Assert.All(
            host.Audit.Entries, entry => Assert.Equal((0, "admin", null), (entry.OrganizationNo, entry.Actor, entry.OrganizationId)));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_bad_grace_is_422()
    {
        var folder = Directory.CreateTempSubdirectory("zap-token-");
        var token = AdminToken.Provision(null, folder.FullName);
        await using var host = await ApiHost.StartAsync(token: token);

        ApiAssert.InvalidField(await host.SendAsync(HttpMethod.Post, Path, token.Value, """{"grace_seconds": -1}"""), "grace_seconds");

        Assert.Empty(host.Audit.Entries);
        folder.Delete(recursive: true);
    }
}
