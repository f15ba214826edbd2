using System.Text;
using Microsoft.AspNetCore.Http;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.Requests;

/// <summary>
/// After calls of every kind, good and bad, with a log of everything: no key, signing secret, admin token, database password or payload is
/// in a line of the log, in an error or in an answer's headers, and no key is in a file.
/// </summary>
public sealed class SecretsTests
{
    private const string HeaderMark = "header-mark-of-the-tests";
    private const string PayloadMark = "payload-mark-of-the-tests";

    [Theory]
    [InlineData(StoreKind.Sqlite)]
    [InlineData(StoreKind.Postgres)]
    public async Task Are_in_no_log_and_no_error(StoreKind store)
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = (context, _) => Refuse(context);
        await using var server = await ServerProgram.StartAsync(store);
        var tenant = await server.NewTenantAsync();
        List<string> secrets = [.. PartsOf(tenant.Key), server.AdminToken, ServerProgram.DatabasePassword];
        var errors = new List<Reply>();

        secrets.AddRange(PartsOf(await tenant.SetWebhookAsync(receiver.Url)));
        var made = await tenant.PostAsync("/api/endpoints", $$$"""{"url":"{{{receiver.Url}}}","headers":{"Authorization":"Bearer {{{HeaderMark}}}"}}""");
        var rotatedSecret = await tenant.PostAsync($"/api/endpoints/{made.Json["id"]}/rotate-secret");
        secrets.AddRange([HeaderMark, .. PartsOf((string)made.Json["secret"]!), .. PartsOf((string)rotatedSecret.Json["secret"]!)]);
        var shown = new[] { await tenant.GetAsync("/api/endpoints"), await tenant.PostAsync($"/api/endpoints/{made.Json["id"]}/test") };
        for (var i = 0; i < 20; i++) (await tenant.PostEventAsync(
            $$$"""{"type":"a","payload":{"x":"{{{PayloadMark}}}"},"dedup_id":"{{{PayloadMark}}}-{{{i}}}"}""")).Accepted();
        await ZapierTriggers.Tests.Crash.Infrastructure.Poll.UntilAsync(() => receiver.Requests.Count > 0, TimeSpan.FromSeconds(60),
            "a delivery");
        foreach (var key in (string[])[tenant.Key, server.AdminToken, tenant.Key[..^1] + (tenant.Key[^1] == 'a' ? 'b' : 'a')])
        {
            secrets.AddRange(PartsOf(key));
            errors.AddRange(await AllErrorsAsync(server, key));
        }

        var rotation = await tenant.PostAsync("/api/keys/rotate");
        var rotated = new Tenant(server, tenant.OrganizationId, (string)rotation.Json["api_key"]!);
        secrets.AddRange(PartsOf(rotated.Key));
        secrets.AddRange(PartsOf(await rotated.SetWebhookAsync("http://receiver.invalid/hook")));
        (await rotated.PostEventAsync($$$"""{"type":"a","payload":{"x":"{{{PayloadMark}}}"}}""")).Accepted();
        errors.AddRange(await AllErrorsAsync(server, tenant.Key));
        var listed = await rotated.GetAsync("/api/keys");
        await server.StopAsync();

        Assert.True(errors.Count > 100, $"{errors.Count} errors");
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(secret, server.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, listed.Text, StringComparison.Ordinal);
            foreach (var one in shown) Assert.DoesNotContain(secret, one.Text, StringComparison.Ordinal);
            foreach (var error in errors) Assert.DoesNotContain(secret,
                error.Text + string.Concat(error.Headers.Select(pair => pair.Value)), StringComparison.Ordinal);
        }

        Assert.DoesNotContain(PayloadMark, server.Output, StringComparison.Ordinal);
        await CheckFilesAsync(server, [.. PartsOf(tenant.Key), .. PartsOf(rotated.Key), server.AdminToken, ServerProgram.DatabasePassword]);
    }

    /// <summary>A key and the half of it that is secret; for a signing secret what follows the prefix.</summary>
    private static string[] PartsOf(string secret) =>
        secret.StartsWith("zap_", StringComparison.Ordinal) ? [secret, secret[17..60]]
            : secret.StartsWith("whsec_", StringComparison.Ordinal) ? [secret, secret[6..]] : [secret];

    private static Task Refuse(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        return context.Response.WriteAsync("not today");
    }

    /// <summary>The key where it belongs and where it does not, with all kinds of bad requests.</summary>
    private static async Task<List<Reply>> AllErrorsAsync(ServerProgram server, string key)
    {
        byte[][] heads =
        [
            RawClient.Head("GET", $"/api/events/{key}", key), RawClient.Head("POST", $"/api/events/{key}", key, "Content-Length: 0"),
                RawClient.Head("GET", $"/api/{key}", key), RawClient.Head("GET", $"/api/inbox?limit=x&key={key}", key),
            RawClient.Head("GET", $"/api/inbox?limit={key}", key), RawClient.Head("GET", $"/api/inbox?status={key}&cursor={key}", key),
                RawClient.Head("GET", $"/api/inbox?cursor={key}", key), RawClient.Head("DELETE", "/api/keys", key),
            RawClient.Head("PATCH", $"/api/admin/organizations/{key}", key, "Content-Length: 0"),
                RawClient.Head("POST", "/api/events", key, "Content-Length: -1"),
                RawClient.Head("POST", "/api/events", key, "Transfer-Encoding: chunked", "X-A: b\r\n c"),
            RawClient.Head("POST", "/api/events", key, "Content-Length: 0", $"Content-Encoding: {key}"),
                RawClient.Head("GET", "/api/inbox", "", $"Authorization: Basic {key}"),
                RawClient.Head("GET", "/api/inbox", $"{key}, {key}"),
            [.. RawClient.Head("POST", "/api/events", key, "Transfer-Encoding: chunked"), .. "ffffffffffffffffff\r\n"u8],
        ];
        var quoted = Encoding.UTF8.GetBytes($"\"{key}\"");
        byte[][] bodies =
        [
            quoted, [.. "{\"type\":"u8, .. quoted], [.. "{\"type\":\"\",\"payload\":{},\"dedup_id\":"u8, .. quoted, (byte)'}'],
            [.. "{\"type\":\"a\",\"payload\":"u8, .. quoted, (byte)'}'], [.. "{\"a\":1,"u8, .. quoted, .. ":1,"u8, .. quoted, .. ":2}"u8],
            [.. "{\"webhook_url\":"u8, .. quoted, (byte)'}'], [.. "{\"tier\":"u8, .. quoted, .. ",\"organization_name\":\"\"}"u8],
            [.. "{\"mode\":"u8, .. quoted, .. ",\"organization_name\":\"a\"}"u8], [.. "{\"grace_seconds\":"u8, .. quoted, (byte)'}'],
            [.. "{\"event_ids\":"u8, .. quoted, (byte)'}'],
        ];
        string[] paths = ["/api/events", "/api/inbox/ack", "/api/webhook/config", "/api/endpoints"];
        (string Path, int Body)[] others = [("/api/keys/rotate", 0), ("/api/keys/rotate", 1), ("/api/keys/rotate", 4),
            ("/api/keys/rotate", 8), ("/api/keys/generate", 6), ("/api/keys/generate", 7)];
        var requests = heads.Concat(paths.SelectMany(path => bodies.Select(body => RawClient.Request("POST", path, key, body))))
            .Concat(others.Select(one => RawClient.Request("POST", one.Path, key, bodies[one.Body])));

        var errors = new List<Reply>();
        foreach (var request in requests)
        {
            using var client = await RawClient.ConnectAsync(server);
            await client.SendAsync(request);
            var reply = await client.ReadReplyAsync();
            Assert.True(reply.Status is >= 400 and < 500, $"{Encoding.UTF8.GetString(request)}: {reply.Status} {reply.Text}");
            errors.Add(reply);
        }

        return errors;
    }

    private static async Task CheckFilesAsync(ServerProgram server, string[] secrets)
    {
        foreach (var file in server.Files)
        {
            var bytes = await File.ReadAllBytesAsync(file);
            foreach (var secret in secrets) Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0,
                $"a secret is in {Path.GetFileName(file)}");
        }
    }
}
