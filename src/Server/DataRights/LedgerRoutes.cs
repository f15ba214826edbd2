using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.DataRights;

/// <summary>Where an organization's accepted events are, for itself and for the administrator.</summary>
internal sealed class LedgerRoutes(
    ILedgerStore store, AccountDirectory accounts, Authentication authentication, StoredBarrier barrier, TimeProvider time)
{
    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        routes.Map(HttpMethods.Get, "/api/ledger", RouteAccess.InboxRead, StorageAnswers.Guard((context, _) => OwnAsync(context)));
        routes.Map(HttpMethods.Get, "/api/admin/organizations/{id}/ledger", RouteAccess.Admin, StorageAnswers.Guard(OfAnyAsync));
    }

    private async Task OwnAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.InboxRead) is not { } key) return;
        await AnswerAsync(context, key.Organization);
    }

    private async Task OfAnyAsync(HttpContext context, string? id)
    {
        if (!await authentication.RequireAdminAsync(context)) return;
        var organization = UuidText.TryParse(id, out var organizationId) ? accounts.FindById(organizationId) : null;
        if (organization is not null) await AnswerAsync(context, organization);
        else await Answers.ProblemAsync(context, Problem.OrganizationNotFound, "There is no organization with this id.");
    }

    private async Task AnswerAsync(HttpContext context, Organization organization)
    {
        if (!await barrier(organization, context.RequestAborted))
        {
            await StorageAnswers.UnavailableAsync(context);
            return;
        }

        var ledger = await store.ReadAsync(organization.No, context.RequestAborted);
        await Answers.JsonAsync(context, StatusCodes.Status200OK, (organization.Id, ledger, time.GetMilliseconds()), Write);
    }

    private static void Write(Utf8JsonWriter writer, (Guid Id, Ledger Ledger, DateTimeOffset At) state)
    {
        var ledger = state.Ledger;
        writer.WriteStartObject();
        writer.WriteString("organization_id"u8, state.Id);
        writer.WriteNumber("accepted"u8, ledger.Accepted);
        writer.WriteNumber("pending"u8, ledger.Pending);
        writer.WriteNumber("retrying"u8, ledger.Retrying);
        writer.WriteNumber("delivered"u8, ledger.Delivered);
        writer.WriteNumber("acknowledged"u8, ledger.Acknowledged);
        writer.WriteNumber("dead"u8, ledger.Dead);
        writer.WriteNumber("set_aside"u8, ledger.SetAside);
        writer.WriteNumber("expired"u8, ledger.Expired);
        writer.WriteNumber("erased"u8, ledger.Erased);
        writer.WriteBoolean("balanced"u8, ledger.Accepted == ledger.Accounted);
        writer.WriteTime("as_of"u8, state.At);
        writer.WriteEndObject();
    }
}
