using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// <c>DELETE /api/admin/organizations/{id}</c>: its keys end at once, the rest goes in the background. The same call again tells how far
/// it is; when nothing is left it answers 404.
/// </summary>
internal sealed class OrganizationErasureRoutes(
    IErasureStore store,
    AccountDirectory accounts,
    Authentication authentication,
    ErasureRunner runner,
    TimeSpan journalFor,
    TimeProvider time)
{
    private const int MaxBodyBytes = 16 * 1024;

    /// <summary>Adds the route.</summary>
    public void Map(RouteTable routes) => routes.Map(
        HttpMethods.Delete,
        "/api/admin/organizations/{id}",
        RouteAccess.Admin.Audited("organization.erase"),
        StorageAnswers.Guard(EraseAsync));

    private async Task EraseAsync(HttpContext context, string? id)
    {
        if (!await authentication.RequireAdminAsync(context)) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null) return;
        if (!UuidText.TryParse(id, out var organizationId) || accounts.FindById(organizationId) is not { } organization)
        {
            await Answers.ProblemAsync(context, Problem.OrganizationNotFound, "There is no organization with this id.");
            return;
        }

        AuditedCall.Current?.About(organization.No, organization.Id);
        var confirmed = body.RootElement.TryGetProperty("confirm"u8, out var confirm) && confirm.ValueKind == JsonValueKind.String;
        if (!confirmed || confirm.GetString() != organization.Record.Name)
        {
            const string Detail = "confirm must be the organization's name, exactly: all that it has is erased and cannot be brought back.";
            await new FieldError("confirm", Detail).AnswerAsync(context);
            return;
        }

        var running = (await store.ReadUnfinishedAsync(context.RequestAborted))
            .FirstOrDefault(one => one.OrganizationNo == organization.No && one.Kind == ErasureKind.Organization);
        if (running is null)
        {
            running = ErasureRoutes.New(organization, ErasureKind.Organization, "", isDryRun: false, time);
            accounts.Close(organization);
            await CertainWrite.RunAsync(cancelled => store.AddAsync(running, cancelled));
        }

        runner.Wake();
        await Answers.JsonAsync(context, StatusCodes.Status202Accepted, (running, journalFor), ErasureRoutes.Write);
    }
}
