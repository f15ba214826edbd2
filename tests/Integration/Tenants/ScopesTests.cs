using System.Text.Json.Nodes;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.Tenants;

/// <summary>Every route asks for exactly what the route table declares.</summary>
public sealed class ScopesTests(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private static readonly KeyScopes[] Each =
        [KeyScopes.EventsWrite, KeyScopes.InboxRead, KeyScopes.InboxAck, KeyScopes.WebhooksManage, KeyScopes.KeysManage];

    private ServerUnderTest Server => fixture.Server;

    [Fact]
    public async Task Without_a_key_every_declared_route_is_401_and_every_other_is_not()
    {
        foreach (var (method, template, access) in Server.DeclaredRoutes)
        {
            if (access.Caller == RouteCaller.Registrar) continue;
            var reply = await CallAsync(method, template, key: null);
            Assert.True(
                (reply.Status == 401) == (access.Caller != RouteCaller.Anyone), $"{method} {template}: {reply.Status} {reply.Text}");
        }
    }

    [Fact]
    public async Task A_key_with_all_scopes_but_the_declared_one_is_403_and_says_which()
    {
        var owner = await Server.NewTenantAsync();
        foreach (var (method, template, access) in Server.DeclaredRoutes)
        {
            if (access.Caller != RouteCaller.Key || access.Scopes == KeyScopes.None) continue;
            var reply = await CallAsync(method, template, await KeyAsync(owner, KeyScopes.All & ~access.Scopes & ~access.Or));
            Assert.True(reply.Status == 403, $"{method} {template}: {reply.Status} {reply.Text}");
            Assert.Equal(
                access.Scopes.ToText(),
                (string?)reply.Problem(403, "insufficient_scope", "Insufficient scope", "required_scope")["required_scope"]);
        }
    }

    [Fact]
    public async Task A_key_with_the_declared_scope_alone_is_let_through()
    {
        var owner = await Server.NewTenantAsync();
        foreach (var (method, template, access) in Server.DeclaredRoutes)
        {
            if (access.Caller != RouteCaller.Key) continue;
            KeyScopes[] enough =
                access.Scopes == KeyScopes.None ? Each : access.Or == KeyScopes.None ? [access.Scopes] : [access.Scopes, access.Or];
            foreach (var scopes in enough)
            {
                var reply = await CallAsync(method, template, await KeyAsync(owner, scopes));
                Assert.True(reply.Status is not (401 or 403 or >= 500), $"{method} {template} with {scopes}: {reply.Status} {reply.Text}");
            }
        }
    }

    [Fact]
    public async Task No_key_administers()
    {
        var owner = await Server.NewTenantAsync();
        foreach (var (method, template, access) in Server.DeclaredRoutes)
        {
            if (access.Caller != RouteCaller.Admin) continue;
            (await CallAsync(method, template, owner.Key)).Problem(401, "invalid_admin_token", "Invalid admin token");
            (await CallAsync(method, template, key: null)).Problem(401, "missing_admin_token", "Missing admin token");
        }
    }

    [Fact]
    public async Task A_suspended_organizations_key_is_403_everywhere()
    {
        var owner = await Server.NewTenantAsync();
        Assert.Equal(200, (await AdminAsync(HttpMethod.Post, owner, "/suspend")).Status);

        foreach (var (method, template, access) in Server.DeclaredRoutes)
        {
            if (access.Caller != RouteCaller.Key) continue;
            (await CallAsync(method, template, owner.Key)).Problem(403, "organization_suspended", "Organization suspended");
        }

        Assert.Equal(200, (await AdminAsync(HttpMethod.Post, owner, "/resume")).Status);
        Assert.Equal(200, (await owner.GetAsync("/api/inbox")).Status);
    }

    [Fact]
    public void Every_route_that_changes_something_is_audited()
    {
        // What is sent and acknowledged is in the events themselves; a test call changes nothing.
        string[] unaudited = ["/events", "/events/batch", "/ack", "/ack/{id}", "/inbox/ack", "/inbox/ack/{id}", "/endpoints/{id}/test"];
        var missing = Server.DeclaredRoutes
            .Where(route => route.Method != "GET" && route.Access.Action is null)
            .Select(route => route.Template.StartsWith("/api/", StringComparison.Ordinal) ? route.Template[4..] : route.Template)
            .Distinct(StringComparer.Ordinal);

        Assert.Equal(unaudited.Order(StringComparer.Ordinal), missing.Order(StringComparer.Ordinal));
    }

    private Task<Reply> CallAsync(string method, string template, string? key) => new Tenant(Server, "", "").SendAsync(
        new HttpMethod(method), template.Replace("{id}", Guid.CreateVersion7().ToString(), StringComparison.Ordinal),
        method is "POST" or "PATCH" ? "{}"u8.ToArray() : null, ("X-API-Key", key));

    private Task<Reply> AdminAsync(HttpMethod method, Tenant tenant, string what) => tenant.SendAsync(
        method, $"/api/admin/organizations/{tenant.OrganizationId}{what}", "{}"u8.ToArray(), ("X-API-Key", Server.AdminToken));

    private async Task<string> KeyAsync(Tenant owner, KeyScopes scopes)
    {
        // By the administrator, so that the cap does not matter.
        var body = new JsonObject { ["scopes"] = new JsonArray([.. scopes.NamesOf().Select(name => JsonValue.Create(name))]) };
        var made = await owner.SendAsync(
            HttpMethod.Post, $"/api/admin/organizations/{owner.OrganizationId}/keys",
            System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()),
            ("X-API-Key", Server.AdminToken));
        return (string)made.Json["api_key"]!;
    }
}
