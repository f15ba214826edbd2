using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.Accounts;

/// <summary>The audit log, newest first: of one organization for its own keys, of all for the administrator.</summary>
internal sealed class AuditRoutes(IAuditStore store, Authentication authentication)
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.Map(HttpMethods.Get, "/api/audit", RouteAccess.KeysManage, StorageAnswers.Guard((context, _) => ReadOwnAsync(context)));
        routes.Map(HttpMethods.Get, "/api/admin/audit", RouteAccess.Admin, StorageAnswers.Guard((context, _) => ReadAllAsync(context)));
    }

    private async Task ReadOwnAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.KeysManage) is not { } key) return;
        await AnswerAsync(context, key.Organization.No);
    }

    private async Task ReadAllAsync(HttpContext context)
    {
        if (await authentication.RequireAdminAsync(context)) await AnswerAsync(context, organizationNo: null);
    }

    private async Task AnswerAsync(HttpContext context, int? organizationNo)
    {
        if (Read(context.Request.Query, organizationNo, out var error) is not { } query)
        {
            await error!.AnswerAsync(context);
            return;
        }

        var (entries, hasMore) = await store.ReadAsync(query, context.RequestAborted);
        await Answers.JsonAsync(context, StatusCodes.Status200OK, (entries, hasMore, query.Limit), WritePage);
    }

    private static AuditQuery? Read(IQueryCollection query, int? organizationNo, out FieldError? error)
    {
        var read = new QueryReader(query);
        var actor = read.Text("actor");
        var keyId = UuidText.TryParse(actor, out var id) ? id : (Guid?)null;
        var built = new AuditQuery
        {
            OrganizationNo = organizationNo,
            OrganizationId = organizationNo is null ? read.Id("organization_id", "an organization's id") : null,
            Action = read.Text("action"),
            Actor = keyId is null ? actor : null,
            KeyId = keyId,
            From = read.Time("from"),
            To = read.Time("to"),
            After = read.Id("cursor", "the id of the last entry seen, as it stands in id or next_cursor"),
            Limit = read.Number("limit", 1, MaxLimit, DefaultLimit),
        };
        error = read.Error;
        return error is null ? built : null;
    }

    private static void WritePage(Utf8JsonWriter writer, (IReadOnlyList<AuditEntry> Entries, bool HasMore, int Limit) page)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("entries"u8);
        foreach (var entry in page.Entries) Write(writer, entry);
        writer.WriteEndArray();
        writer.WriteString("next_cursor"u8, page.HasMore ? page.Entries[^1].Id.ToString() : null);
        writer.WriteBoolean("has_more"u8, page.HasMore);
        writer.WriteNumber("count"u8, page.Entries.Count);
        writer.WriteNumber("limit"u8, page.Limit);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, AuditEntry entry)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, entry.Id);
        writer.WriteTime("created_at"u8, entry.At);
        writer.WriteString("organization_id"u8, entry.OrganizationId?.ToString());
        writer.WriteString("action"u8, entry.Action);
        writer.WriteString("target"u8, entry.Target);
        writer.WriteString("actor"u8, entry.Actor);
        writer.WriteString("key_id"u8, entry.KeyId?.ToString());
        writer.WriteString("key_prefix"u8, entry.KeyPrefix);
        writer.WriteString("address"u8, entry.Address);
        writer.WriteString("request_id"u8, entry.RequestId);
        writer.WritePropertyName("details"u8);
        writer.WriteRawValue(entry.Details);
        writer.WriteEndObject();
    }
}
