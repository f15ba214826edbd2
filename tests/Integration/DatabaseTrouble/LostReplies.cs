using System.Text.Json.Nodes;
using ZapierTriggers.Tests.Integration.Infrastructure;

namespace ZapierTriggers.Tests.Integration.DatabaseTrouble;

/// <summary>
/// The reply to a write of an account is lost although the write happened: the call is answered as it was, or honestly that it is not
/// known, and then the same call again leads to one outcome.
/// </summary>
[Collection(TroubleCollection.Name)]
public sealed class LostReplies(TroubleCluster cluster)
{
    [Fact]
    public async Task A_rotation_whose_reply_is_lost_is_answered_with_its_key()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        LoseReplies(scene.Proxy, "UPDATE api_keys", times: 1);

        var reply = await scene.Tenant.PostAsync("/api/keys/rotate");

        Assert.Equal(200, reply.Status);
        await OnlyAsync(scene, (string)reply.Json["api_key"]!);
    }

    [Theory]
    [InlineData("")]
    [InlineData("""{"grace_seconds":0}""")]
    [InlineData("""{"grace_seconds":60}""")]
    public async Task A_rotation_that_is_not_known_goes_on_with_the_same_key(string body)
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        LoseReplies(scene.Proxy, "UPDATE api_keys", times: 1, andTheDatabase: true);

        var unknown = await scene.Tenant.PostAsync("/api/keys/rotate", body.Length == 0 ? null : body);
        unknown.Problem(503, "storage_unavailable", "Storage unavailable", "retry_after_seconds");
        Assert.Contains("not known", (string?)unknown.Json["detail"], StringComparison.Ordinal);
        Assert.Equal(200, (await scene.Tenant.GetAsync("/api/keys")).Status);
        scene.Proxy.PassAll();

        var reply = await scene.Tenant.PostAsync("/api/keys/rotate", body.Length == 0 ? null : body);
        Assert.Equal(200, reply.Status);
        await OnlyAsync(scene, (string)reply.Json["api_key"]!, oldStays: body.Contains("60", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_registration_whose_reply_is_lost_makes_one_organization()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        LoseReplies(scene.Proxy, "INSERT INTO organizations", times: 2);

        var tenant = await scene.Server.NewTenantAsync(tier: "free");

        Assert.Equal(200, (await tenant.GetAsync("/api/keys")).Status);
        Assert.Equal(2L, await scene.ExecuteAsync("SELECT count(*) FROM organizations"));
        Assert.Equal(2L, await scene.ExecuteAsync("SELECT count(*) FROM api_keys"));
    }

    [Fact]
    public async Task A_webhook_whose_reply_is_lost_is_set_by_the_same_call()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        var tenant = await scene.Server.NewTenantAsync();
        var body = new JsonObject { ["webhook_url"] = "http://127.0.0.1:9/hook" }.ToJsonString();
        LoseReplies(scene.Proxy, "INSERT INTO endpoints", times: 1);

        var unknown = await tenant.PostAsync("/api/webhook/config", body);
        unknown.Problem(503, "storage_unavailable", "Storage unavailable", "retry_after_seconds");
        var reply = await tenant.PostAsync("/api/webhook/config", body);

        Assert.Equal(200, reply.Status);
        Assert.Equal((string)reply.Json["secret"]!, await scene.ExecuteAsync("SELECT secret FROM endpoints WHERE url LIKE '%:9/%'"));
    }

    [Fact]
    public async Task An_endpoint_whose_replies_are_lost_is_made_changed_rotated_and_removed_once()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        var tenant = await scene.Server.NewTenantAsync();
        const string Count = "SELECT count(*) FROM endpoints WHERE url LIKE '%:9/%'";
        const string Body = """{"url":"http://127.0.0.1:9/hook","event_types":["a"]}""";

        LoseReplies(scene.Proxy, "INSERT INTO endpoints", times: 1);
        var made = await tenant.PostAsync("/api/endpoints", Body);
        Assert.Equal(201, made.Status);
        Assert.Equal(1L, await scene.ExecuteAsync(Count));
        Assert.Equal((string)made.Json["secret"]!, await scene.ExecuteAsync("SELECT secret FROM endpoints WHERE url LIKE '%:9/%'"));

        var path = $"/api/endpoints/{made.Json["id"]}";
        LoseReplies(scene.Proxy, "INSERT INTO endpoints", times: 1);
        Assert.Equal(200, (await tenant.PatchAsync(path, """{"event_types":["b"]}""")).Status);
        Assert.Equal(2L, await scene.ExecuteAsync("SELECT count(*) FROM endpoint_filters"));

        LoseReplies(scene.Proxy, "INSERT INTO endpoints", times: 1);
        var rotated = await tenant.PostAsync(path + "/rotate-secret");
        Assert.Equal(200, rotated.Status);
        Assert.Equal(
            $"{rotated.Json["secret"]} {made.Json["secret"]}",
            await scene.ExecuteAsync("SELECT secret || ' ' || previous_secret FROM endpoints WHERE url LIKE '%:9/%'"));

        LoseReplies(scene.Proxy, "DELETE FROM endpoints", times: 1, tag: "DELETE");
        Assert.Equal(204, (await tenant.DeleteAsync(path)).Status);
        Assert.Equal(0L, await scene.ExecuteAsync(Count));
        Assert.Equal(404, (await tenant.GetAsync(path)).Status);
    }

    [Fact]
    public async Task An_endpoint_that_is_not_known_is_made_once_by_the_same_call()
    {
        await using var scene = await TroubleScene.StartAsync(cluster);
        var tenant = await scene.Server.NewTenantAsync();
        const string Body = """{"url":"http://127.0.0.1:9/hook"}""";
        LoseReplies(scene.Proxy, "INSERT INTO endpoints", times: 1, andTheDatabase: true);

        var unknown = await tenant.PostAsync("/api/endpoints", Body);
        unknown.Problem(503, "storage_unavailable", "Storage unavailable", "retry_after_seconds");
        Assert.Contains("not known", (string?)unknown.Json["detail"], StringComparison.Ordinal);
        scene.Proxy.PassAll();
        var made = await tenant.PostAsync("/api/endpoints", Body);

        Assert.Equal(201, made.Status);
        Assert.Equal(
            $"{made.Json["id"]} {made.Json["secret"]}",
            await scene.ExecuteAsync("SELECT string_agg(id || ' ' || secret, ',') FROM endpoints WHERE url LIKE '%:9/%'"));
        Assert.Equal(201, (await tenant.PostAsync("/api/endpoints", Body)).Status);
        Assert.Equal(2L, await scene.ExecuteAsync("SELECT count(*) FROM endpoints WHERE url LIKE '%:9/%'"));
    }

    /// <summary>The new key is valid and the old one is not (or is, for its grace), now and after a restart.</summary>
    private static async Task OnlyAsync(TroubleScene scene, string key, bool oldStays = false)
    {
        for (var start = 0; start < 2; start++)
        {
            Assert.Equal(200, (await scene.Tenant.SendAsync(HttpMethod.Get, "/api/keys", body: null, ("X-API-Key", key))).Status);
            Assert.Equal(oldStays ? 200 : 401, (await scene.Tenant.GetAsync("/api/keys")).Status);
            Assert.Equal(2L, await scene.ExecuteAsync("SELECT count(*) FROM api_keys"));
            if (start > 0) return;
            await scene.Server.StopAsync();
            await scene.Server.StartAsync();
        }
    }

    /// <summary>
    /// Cuts the connection instead of passing on the server's word that the statement is done, so many times. Nothing else is written
    /// meanwhile. The database may stay away after that.
    /// </summary>
    private static void LoseReplies(PostgresProxy proxy, string statement, int times, bool andTheDatabase = false, string tag = "INSERT")
    {
        var asked = false;
        proxy.Apply(message =>
        {
            asked |= message.FromClient && message.Text.Contains(statement, StringComparison.Ordinal);
            if (!asked || times == 0 || !message.IsComplete(tag)) return ProxyAction.Pass;
            times--;
            if (andTheDatabase) proxy.RefuseNew();
            if (andTheDatabase) proxy.CutOpen();
            return ProxyAction.CutBefore;
        });
    }
}
