using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ZapierTriggers.Server.Cli;
using ZapierTriggers.Tests.Integration.Infrastructure;
using ZapierTriggers.Tests.Integration.Webhooks;

namespace ZapierTriggers.Tests.Integration.DataRights;

/// <summary>What the tests of data rights do with a tenant and its server.</summary>
internal static class DataTenant
{
    public static async Task<string> SendEventAsync(this Tenant tenant, string payload, string dedupId = "", string type = "user.changed")
    {
        var body = $$"""{"type":"{{type}}","payload":{{payload}}{{(dedupId.Length > 0 ? $",\"dedup_id\":\"{dedupId}\"" : "")}}}""";
        return (await tenant.PostEventAsync(body)).Accepted();
    }

    /// <summary>Sends many, a thousand in a call.</summary>
    public static async Task PostManyAsync(this Tenant tenant, int count, Func<int, string> payload)
    {
        for (var first = 0; first < count; first += 1000)
        {
            var items = Enumerable.Range(first, Math.Min(1000, count - first)).Select(n => $$"""{"type":"t","payload":{{payload(n)}}}""");
            var reply = await tenant.PostAsync("/api/events/batch", $"[{string.Join(',', items)}]");
            Assert.Equal(200, reply.Status);
        }
    }

    public static Task<Reply> EraseAsync(this Tenant tenant, string body) =>
        tenant.SendAsync(HttpMethod.Delete, "/api/events", Encoding.UTF8.GetBytes(body), ("X-API-Key", tenant.Key));

    /// <summary>Erases, and waits until that is finished, which a call does a moment only; returns the receipt.</summary>
    public static async Task<Reply> EraseToTheEndAsync(this Tenant tenant, string body)
    {
        var reply = await tenant.EraseAsync(body);
        Assert.True(reply.Status is 200 or 202, reply.Text);
        var path = $"/api/erasures/{(string)reply.Json["erasure_id"]!}";
        await Poll.UntilAsync(
            async () => (string?)(reply = await tenant.GetAsync(path)).Json["status"] == "finished", "the erasure to be finished");
        return reply;
    }

    public static Task<Reply> AdminAsync(this ITestServer server, HttpMethod method, string path, string? body = null) =>
        new Tenant(server, "", "").SendAsync(
            method, path, body is null ? null : Encoding.UTF8.GetBytes(body), ("X-API-Key", server.AdminToken));

    /// <summary>The ledger, which must be balanced.</summary>
    public static async Task<JsonObject> LedgerAsync(this Tenant tenant)
    {
        var reply = await tenant.GetAsync("/api/ledger");
        Assert.True(reply.Status == 200, reply.Text);
        Assert.True((bool)reply.Json["balanced"]!, reply.Text);
        return reply.Json;
    }

    /// <summary>Runs <c>verify</c> on a stopped server.</summary>
    public static Task<(int Code, string Output)> VerifyAsync(this ServerUnderTest server) => server.VerifyAsync(server.ConnectionString);

    /// <summary>The same of one that was started on a given database.</summary>
    public static async Task<(int Code, string Output)> VerifyAsync(this ServerUnderTest server, string? connectionString)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        string[] settings = [$"--Storage:DataDirectory={server.DataDirectory}", $"--Storage:ConnectionString={connectionString}"];
        return (await VerifyCommand.RunAsync(settings, output, CancellationToken.None), output.ToString());
    }

    /// <summary>Whether a file of the server's journal has that text.</summary>
    public static bool JournalHolds(this ServerUnderTest server, string text)
    {
        while (true)
        {
            try
            {
                return Directory.EnumerateFiles(Path.Combine(server.DataDirectory, "journal")).Any(file => Holds(file, text));
            }
            catch (FileNotFoundException)
            {
                // A segment was rewritten meanwhile, and has its old name again: looked at anew.
            }
        }
    }

    private static bool Holds(string path, string text)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
    }
}
