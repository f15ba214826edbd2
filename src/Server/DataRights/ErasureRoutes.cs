using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Events;
using ZapierTriggers.Core.Sequencing;
using ZapierTriggers.Core.Storing;
using ZapierTriggers.Server.Accounts;
using ZapierTriggers.Server.Http;

namespace ZapierTriggers.Server.DataRights;

/// <summary>
/// <c>DELETE /api/events</c> and <c>GET /api/erasures/{id}</c>. An erasure is kept first and carried out then; the call waits a moment for
/// its end, so most are answered 200 with the receipt, long ones 202.
/// </summary>
internal sealed class ErasureRoutes(
    IErasureStore store, Authentication authentication, StoredBarrier barrier, ErasureRunner runner, TimeSpan journalFor, TimeProvider time)
{
    // 1,000 ids of 39 characters with quotes and comma, and room for spaces and the other fields.
    private const int MaxBodyBytes = 256 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Adds the routes.</summary>
    public void Map(RouteTable routes)
    {
        var erase = RouteAccess.KeysManage.Audited("events.erase");
        routes.MapBoth(HttpMethods.Delete, "/events", erase, StorageAnswers.Guard((context, _) => EraseAsync(context)));
        routes.Map(HttpMethods.Get, "/api/erasures/{id}", RouteAccess.KeysManage, StorageAnswers.Guard(FindAsync));
    }

    private async Task EraseAsync(HttpContext context)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.KeysManage) is not { } key) return;
        using var body = await JsonBody.ReadObjectAsync(context, MaxBodyBytes);
        if (body is null) return;
        if (ErasureRequest.Read(body.RootElement, out var error) is not { } request)
        {
            await error!.AnswerAsync(context);
            return;
        }

        if (!await barrier(key.Organization, context.RequestAborted))
        {
            await StorageAnswers.UnavailableAsync(context);
            return;
        }

        var erasure = New(key.Organization, ErasureKind.Events, request.Selection.Write(), request.IsDryRun, time);
        if (!await CertainWrite.RunAsync(cancelled => store.AddAsync(erasure, cancelled)))
        {
            await Answers.ProblemAsync(
                context,
                Problem.TooManyErasures,
                $"Your organization has {Erasure.MaxUnfinished} erasures that are not finished. Begin this one when one of them is.",
                ("limit", Erasure.MaxUnfinished));
            return;
        }

        await AnswerAsync(context, await FinishedAsync(erasure, context.RequestAborted));
    }

    /// <summary>An erasure of what the organization has by now.</summary>
    public static Erasure New(Organization organization, ErasureKind kind, string selection, bool isDryRun, TimeProvider time)
    {
        var now = time.GetMilliseconds();
        return new Erasure
        {
            OrganizationNo = organization.No,
            Id = Guid.CreateVersion7(now),
            Kind = kind,
            Selection = selection,
            IsDryRun = isDryRun,
            Through = EventsBefore.Now(organization, now),
            RequestedAt = now,
        };
    }

    private async Task FindAsync(HttpContext context, string? id)
    {
        if (await authentication.AuthenticateOrAnswerAsync(context, KeyScopes.KeysManage) is not { } key) return;
        var erasure = UuidText.TryParse(id, out var erasureId)
            ? await store.FindAsync(key.Organization.No, erasureId, context.RequestAborted)
            : null;
        if (erasure is null) await Answers.ProblemAsync(context, Problem.ErasureNotFound, "Your organization has no erasure with this id.");
        else await Answers.JsonAsync(context, StatusCodes.Status200OK, (erasure, journalFor), Write);
    }

    /// <summary>The erasure when it is done, or as it is after a moment.</summary>
    private async Task<Erasure> FinishedAsync(Erasure added, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        runner.Wake();
        while (true)
        {
            var turn = runner.Turn; // before the look: what moves behind it ends the wait
            var erasure = await store.FindAsync(added.OrganizationNo, added.Id, cancellationToken) ?? added;
            var left = Patience - time.GetElapsedTime(start);
            if (erasure.FinishedAt is not null || left <= TimeSpan.Zero) return erasure;
            await Task.WhenAny(turn, Task.Delay(left, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private Task AnswerAsync(HttpContext context, Erasure erasure)
    {
        context.Response.Headers.Location = $"/api/erasures/{erasure.Id}";
        var status = erasure.FinishedAt is null ? StatusCodes.Status202Accepted : StatusCodes.Status200OK;
        return Answers.JsonAsync(context, status, (erasure, journalFor), Write);
    }

    /// <summary>Writes a receipt, or how far it is.</summary>
    public static void Write(Utf8JsonWriter writer, (Erasure Erasure, TimeSpan JournalFor) state)
    {
        var erasure = state.Erasure;
        writer.WriteStartObject();
        writer.WriteString("erasure_id"u8, erasure.Id);
        writer.WriteString("status"u8, erasure.FinishedAt is null ? "running"u8 : "finished"u8);
        writer.WriteBoolean("dry_run"u8, erasure.IsDryRun);
        writer.WriteNumber("matched"u8, erasure.Matched);
        writer.WriteNumber("erased"u8, erasure.Kind == ErasureKind.Organization ? erasure.Matched : erasure.Erased);
        writer.WriteStartArray("ids"u8);
        foreach (var id in erasure.Ids) writer.WriteStringValue(id.ToString());
        writer.WriteEndArray();
        writer.WriteStartObject("journal"u8);
        writer.WriteBoolean("erased"u8, erasure.IsJournalErased);
        writer.WriteTime("until"u8, erasure.IsJournalErased || erasure.IsDryRun ? null : erasure.RequestedAt + state.JournalFor);
        writer.WriteEndObject();
        writer.WriteTime("requested_at"u8, erasure.RequestedAt);
        writer.WriteTime("finished_at"u8, erasure.FinishedAt);
        writer.WriteEndObject();
    }
}
