using System.Text.Json;
using ZapierTriggers.Core.Accounts;
using ZapierTriggers.Core.Operations;
using ZapierTriggers.Server.Http;
using ZapierTriggers.Server.Operations;

namespace ZapierTriggers.Server.Accounts;

/// <summary><c>POST /api/admin/token/rotate</c> <c>{"grace_seconds"}</c>: a new admin token, where it is the server's own file.</summary>
internal sealed partial class AdminTokenRoutes(
    AdminToken token, Authentication authentication, IAuditStore audit, TimeProvider time, ILogger<AdminTokenRoutes> logger)
{
    private const int MaxBodyBytes = 4 * 1024;

    /// <summary>Adds the route.</summary>
    public void Map(RouteTable routes) => routes.Map(
        HttpMethods.Post, "/api/admin/token/rotate", RouteAccess.Admin.Audited("admin_token.rotate"),
        StorageAnswers.Guard((context, _) => RotateAsync(context)));

    private async Task RotateAsync(HttpContext context)
    {
        if (!await authentication.RequireAdminAsync(context)) return;
        using var body = JsonBody.IsSent(context) ? await JsonBody.ReadObjectAsync(context, MaxBodyBytes) : JsonDocument.Parse("{}");
        if (body is null) return;
        if (RotateRequest.Read(body.RootElement, out var error) is not { } request)
        {
            await error!.AnswerAsync(context);
            return;
        }

        if (token.File is null)
        {
            await Answers.ProblemAsync(
                context,
                Problem.AdminTokenIsSetting,
                "The admin token was given as a setting (ADMIN_TOKEN), so it is replaced there: set the new one, and the present one as "
                + "ADMIN_TOKEN_PREVIOUS while clients change over, and restart.");
            return;
        }

        // Written before the token is replaced: there is no rotation without an entry.
        AuditedCall.Current?.About(0, null);
        AuditedCall.Current?.Note("grace_seconds", (int)request.Grace.TotalSeconds);
        var entry = AuditedCall.EntryFor(0, "admin_token")!;
        if (!authentication.IsFormerAdmin(context))
            await CertainWrite.RunAsync(async cancelled => { await audit.AppendAsync(entry, cancelled); return true; });

        var now = time.GetMilliseconds();
        if (token.Rotate(Credentials.Of(context), now + request.Grace) is not { } made)
        {
            await Answers.ProblemAsync(
                context, Problem.InvalidAdminToken, "This token has been replaced already. Only the present one can be rotated.");
            return;
        }

        Log.Rotated(logger, now + request.Grace);
        await AnswerAsync(context, made, now, request.Grace);
    }

    private static Task AnswerAsync(HttpContext context, string made, DateTimeOffset now, TimeSpan grace) =>
        Answers.JsonAsync(context, StatusCodes.Status200OK, (made, now, grace), static (writer, s) =>
        {
            writer.WriteStartObject();
            writer.WriteString("admin_token"u8, s.made);
            writer.WriteTime("rotated_at"u8, s.now);
            writer.WriteTime("previous_valid_until"u8, s.now + s.grace);
            writer.WriteString("message"u8, "Admin token rotated. The new one is shown only this once, and kept in the data directory.");
            writer.WriteEndObject();
        });

    private static partial class Log
    {
        [LoggerMessage(
            LogEvents.AdminTokenRoutesRotated, LogLevel.Warning, "The admin token was rotated; the one before is valid until {Until}")]
        public static partial void Rotated(ILogger logger, DateTimeOffset until);
    }
}
