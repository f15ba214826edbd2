using System.Text;
using Npgsql;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Accounts;

/// <summary>
/// Two whole servers on one Postgres: what is changed about organizations, keys and endpoints at one counts at the other, whether the
/// database can notify it (behind a proxy that cuts each connection that wants to listen) or not. Events are taken by the later one only,
/// which has the shard.
/// </summary>
public sealed class TwoServersTests : IAsyncLifetime
{
    private const string Event = """{"type":"a","payload":{}}""";

    private PostgresCluster _cluster = null!;
    private PostgresProxy _proxy = null!;
    private ServerUnderTest _one = null!;
    private ServerUnderTest _other = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = PostgresCluster.Start();
        _proxy = PostgresProxy.Start(_cluster.Port);
        _one = await ServerUnderTest.StartOnAsync(_cluster);
        var behind = new NpgsqlConnectionStringBuilder(_cluster.ConnectionString)
        {
            Port = _proxy.Port,
            SslMode = SslMode.Disable, // the proxy reads what passes, from the first message on
            GssEncryptionMode = GssEncryptionMode.Disable,
        };
        _other = await ServerUnderTest.StartOnAsync(behind.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_other is not null) await _other.DisposeAsync();
        if (_one is not null) await _one.DisposeAsync();
        if (_proxy is not null) await _proxy.DisposeAsync();
        _cluster?.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_change_reaches_the_other(bool listenIsCut)
    {
        if (listenIsCut)
        {
            _proxy.Apply(message => message.FromClient && message.Text.Contains("LISTEN", StringComparison.Ordinal) ? ProxyAction.CutBefore : ProxyAction.Pass);
            _proxy.CutOpen();
        }

        // Both ways.
        await ChangeAsync(_one, _other, takesEvents: true);
        await ChangeAsync(_other, _one, takesEvents: false);
    }

    [Fact]
    public async Task Two_changes_at_once_end_alike_on_both()
    {
        var here = await _one.NewTenantAsync(tier: "free");
        var there = new Tenant(_other, here.OrganizationId, here.Key);
        await ReachesAsync(there, 200, "the key");

        for (var round = 1; round <= 10; round++)
        {
            var (a, b) = (round * 10, (round * 10) + 1);
            await Task.WhenAll(_one.SetLimitAsync(here, a), _other.SetLimitAsync(there, b));
            await Poll.UntilAsync(async () => await LimitAsync(here) == await LimitAsync(there) && await LimitAsync(here) is var now && (now == a || now == b), "one limit");
        }

        // The database's word is the last.
        var stored = await PostgresServer.ExecuteAsync(
            $"SELECT rate_limit_per_minute FROM organizations WHERE id = '{here.OrganizationId}'", _cluster.ConnectionString);
        await Poll.UntilAsync(
            async () => await LimitAsync(here) == (int?)stored && await LimitAsync(there) == (int?)stored, "the stored limit");
    }

    [Fact]
    public async Task What_is_changed_while_the_database_is_away_from_the_other_reaches_it_later()
    {
        var here = await _one.NewTenantAsync();
        var there = new Tenant(_other, here.OrganizationId, here.Key);
        await ReachesAsync(there, 200, "the key");
        _proxy.RefuseNew();
        _proxy.CutOpen();

        var key = (string)(await here.PostAsync("/api/keys/rotate")).Json["api_key"]!;
        _proxy.PassAll();

        await ReachesAsync(there, 401, "the end of the rotated key");
        await ReachesAsync(new Tenant(_other, here.OrganizationId, key), 200, "the new key");
    }

    [Fact]
    public async Task A_person_with_psql_is_heard_too()
    {
        var here = await _one.NewTenantAsync();
        await ReachesAsync(new Tenant(_other, here.OrganizationId, here.Key), 200, "the key");

        await PostgresServer.ExecuteAsync(
            $"DELETE FROM api_keys k USING organizations o WHERE o.organization_no = k.organization_no AND o.id = '{here.OrganizationId}'",
            _cluster.ConnectionString);

        await ReachesAsync(here, 401, "the end of the key at the one");
        await ReachesAsync(new Tenant(_other, here.OrganizationId, here.Key), 401, "the end of the key at the other");
    }

    private static async Task ChangeAsync(ServerUnderTest from, ServerUnderTest to, bool takesEvents)
    {
        var here = await from.NewTenantAsync(tier: "free");
        var there = new Tenant(to, here.OrganizationId, here.Key);
        await ReachesAsync(there, 200, "a new organization");

        var made = (await here.PostAsync("/api/keys", """{"name":"a","scopes":["inbox:read"]}""")).Json;
        var second = new Tenant(to, here.OrganizationId, (string)made["api_key"]!);
        await ReachesAsync(second, 200, "a new key");
        Assert.Equal(204, (await here.DeleteAsync($"/api/keys/{made["id"]}")).Status);
        await ReachesAsync(second, 401, "a revoked key");

        await AdminAsync(from, HttpMethod.Patch, here, "", """{"tier":"pro"}""");
        await Poll.UntilAsync(async () => await LimitAsync(there) == 1_000, "a tier");
        await AdminAsync(from, HttpMethod.Patch, here, "", """{"rate_limit_per_minute":7}""");
        await Poll.UntilAsync(async () => await LimitAsync(there) == 7, "a limit");

        await AdminAsync(from, HttpMethod.Post, here, "/suspend", "{}");
        await ReachesAsync(there, 403, "a suspension");
        (await there.PostEventAsync(Event)).Problem(403, "organization_suspended", "Organization suspended");
        await AdminAsync(from, HttpMethod.Post, here, "/resume", "{}");
        await ReachesAsync(there, 200, "its end");

        await using var receiver = await Receiver.StartAsync();
        var endpoint = (await here.PostAsync("/api/endpoints", """{"url":"http://127.0.0.1:9/nobody"}""")).Json;
        await Poll.UntilAsync(async () => (await there.GetAsync($"/api/endpoints/{endpoint["id"]}")).Status == 200, "an endpoint");
        await here.PatchAsync($"/api/endpoints/{endpoint["id"]}", $$"""{"url":"{{receiver.Url}}"}""");
        await Poll.UntilAsync(
            async () => (string?)(await there.GetAsync($"/api/endpoints/{endpoint["id"]}")).Json["url"] == receiver.Url, "its new URL");
        if (takesEvents)
        {
            var id = (await there.PostEventAsync(Event)).Accepted();
            await Poll.UntilAsync(() => receiver.CountOf(id) == 1, "a delivery to it");
        }

        await here.DeleteAsync($"/api/endpoints/{endpoint["id"]}");
        await Poll.UntilAsync(async () => (await there.GetAsync($"/api/endpoints/{endpoint["id"]}")).Status == 404, "its end");
    }

    private static Task ReachesAsync(Tenant tenant, int status, string what) =>
        Poll.UntilAsync(async () => (await tenant.GetAsync("/api/limits")).Status == status, what);

    private static async Task<int?> LimitAsync(Tenant tenant) => (int?)(await tenant.GetAsync("/api/limits")).Json["rate_limit"]!["limit"];

    private static async Task AdminAsync(ServerUnderTest server, HttpMethod method, Tenant tenant, string what, string body)
    {
        var reply = await new Tenant(server, "", "").SendAsync(
            method, $"/api/admin/organizations/{tenant.OrganizationId}{what}", Encoding.UTF8.GetBytes(body),
            ("X-API-Key", server.AdminToken));
        Assert.Equal(200, reply.Status);
    }
}
